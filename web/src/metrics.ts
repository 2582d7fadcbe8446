/** Series out of log lines, by a job's own metric definitions, as SageMaker finds them. */

export interface Definition {
  Name?: string;
  Regex?: string;
}

export interface Point {
  /** Epoch milliseconds. */
  time: number;
  value: number;
}

export function series(lines: { timestamp?: number; message?: string }[], definitions: Definition[]): Map<string, Point[]> {
  const found = new Map<string, Point[]>();
  for (const { Name, Regex } of definitions) {
    if (!Name || !Regex) continue;
    const pattern = compiled(Regex);
    if (!pattern) continue;
    for (const line of lines) {
      const text = pattern.exec(line.message ?? "")?.[1];
      const value = Number(text);
      if (text && Number.isFinite(value)) {
        found.set(Name, [...(found.get(Name) ?? []), { time: line.timestamp ?? 0, value }]);
      }
    }
  }
  return found;
}

function compiled(text: string): RegExp | null {
  try {
    return new RegExp(text);
  } catch {
    return null; // a pattern of Java's that JavaScript cannot read
  }
}
