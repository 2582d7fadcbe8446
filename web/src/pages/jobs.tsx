import Link from "@cloudscape-design/components/link";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import type { ProcessingJobSummary, TrainingJobSummary } from "@aws-sdk/client-sagemaker";
import { sagemaker } from "../clients";
import { ago, duration } from "../format";
import { List, type Page } from "../parts/list";
import { isLive, Status } from "../parts/status";
import { go } from "../route";

export interface Row {
  name: string;
  status?: string;
  created?: Date;
  ended?: Date;
}

const training = (job: TrainingJobSummary): Row => ({
  name: job.TrainingJobName ?? "",
  status: job.TrainingJobStatus,
  created: job.CreationTime,
  ended: job.TrainingEndTime,
});
const processing = (job: ProcessingJobSummary): Row => ({
  name: job.ProcessingJobName ?? "",
  status: job.ProcessingJobStatus,
  created: job.CreationTime,
  ended: job.ProcessingEndTime,
});

export async function listJobs(kind: string, NextToken?: string, NameContains?: string, MaxResults = 50, StatusEquals?: "Completed" | "InProgress" | "Stopping"): Promise<Page<Row>> {
  const { sdk, client } = await sagemaker();
  const input = { NextToken, NameContains, MaxResults, StatusEquals, SortBy: "CreationTime", SortOrder: "Descending" } as const;
  if (kind === "training") {
    const answer = await client.send(new sdk.ListTrainingJobsCommand(input));
    return { items: (answer.TrainingJobSummaries ?? []).map(training), next: answer.NextToken };
  }
  const answer = await client.send(new sdk.ListProcessingJobsCommand(input));
  return { items: (answer.ProcessingJobSummaries ?? []).map(processing), next: answer.NextToken };
}

export default function Jobs({ kind }: { kind: "training" | "processing" }) {
  const title = kind === "training" ? "Training jobs" : "Processing jobs";
  return (
    <List<Row>
      key={kind}
      title={title}
      name={kind}
      fetch={(token, contains) => listJobs(kind, token, contains)}
      live={(rows) => rows.some((row) => isLive(row.status))}
      call={{ service: "sagemaker", operation: kind === "training" ? "ListTrainingJobs" : "ListProcessingJobs", input: { SortBy: "CreationTime", SortOrder: "Descending" } }}
      empty="None yet. Run `clary demo`, or start one with boto3, the CLI or the SageMaker SDK."
      actions={
        <SegmentedControl
          selectedId={kind}
          label="Which jobs"
          onChange={({ detail }) => go(`/jobs/${detail.selectedId}`)}
          options={[{ id: "training", text: "Training" }, { id: "processing", text: "Processing" }]}
        />
      }
      columns={[
        { id: "name", header: "Name", cell: (row) => <Link href={`#/jobs/${kind}/${encodeURIComponent(row.name)}`}>{row.name}</Link>, isRowHeader: true },
        { id: "status", header: "Status", cell: (row) => <Status value={row.status} /> },
        { id: "created", header: "Started", cell: (row) => ago(row.created) },
        { id: "took", header: "Took", cell: (row) => duration(row.created, row.ended) },
      ]}
    />
  );
}
