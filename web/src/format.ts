/** Words for times, sizes and S3 addresses. Pure functions. */

export function ago(time: Date | undefined, now = Date.now()): string {
  if (!time) return "–";
  const seconds = Math.max(0, Math.round((now - time.getTime()) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return time.toLocaleDateString();
}

export function duration(from: Date | undefined, to: Date | undefined): string {
  if (!from) return "–";
  const seconds = ((to ?? new Date()).getTime() - from.getTime()) / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export function size(bytes: number | undefined): string {
  if (bytes === undefined) return "–";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit ? value.toFixed(1) : value} ${units[unit]}`;
}

/** s3://bucket/a/b -> [bucket, "a/b"] */
export function splitUri(uri: string): [string, string] {
  const found = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri);
  return [found?.[1] ?? "", found?.[2] ?? ""];
}

/** The Studio's own address of an S3 prefix or object. */
export function s3Link(uri: string): string {
  const [bucket, key] = splitUri(uri);
  return `#/s3/${bucket}/${encodeURIComponent(key)}`;
}
