/** A Clarify report's files, read from S3 as its job left them. */
import type { Analysis } from "./analysis";
import { objectKeys, objectText } from "./clients";
import { splitUri } from "./format";
import { describeJob } from "./jobview";

export interface ReportFiles {
  uri: string;
  bucket: string;
  prefix: string;
  analysis: Analysis;
  /** Keys of the page, the notebook and the PDF, where there are some. */
  page?: string;
  notebook?: string;
  pdf?: string;
}

export async function reportFiles(name: string): Promise<ReportFiles> {
  const job = await describeJob("processing", name);
  if (!job.report) throw new Error(`The job ${name} has no report: it is ${job.status ?? "unknown"}. ${job.reason ?? ""}`);
  const [bucket, prefix] = splitUri(job.report);
  // A report is named by its configuration, and there is none where none was asked for.
  const keys = await objectKeys(bucket, `${prefix}/`);
  const ending = (end: string) => keys.find((key) => key.endsWith(end));
  const analysis = JSON.parse(await objectText(bucket, `${prefix}/analysis.json`)) as Analysis;
  return { uri: job.report, bucket, prefix, analysis, page: ending(".html"), notebook: ending(".ipynb"), pdf: ending(".pdf") };
}

/** What was asked of a report's job: its analysis_config.json. */
export async function reportConfig(name: string): Promise<unknown> {
  const job = await describeJob("processing", name);
  const place = job.places.find(({ label }) => label === "Input analysis_config");
  if (!place) return {};
  const [bucket, key] = splitUri(place.uri);
  const file = key.endsWith(".json") ? key : (await objectKeys(bucket, key)).find((found) => found.endsWith("analysis_config.json"));
  return file ? (JSON.parse(await objectText(bucket, file)) as unknown) : {};
}
