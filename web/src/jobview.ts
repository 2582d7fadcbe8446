/** One view of training and processing jobs, so that one page shows both. */
import type { SecondaryStatusTransition, Tag } from "@aws-sdk/client-sagemaker";
import { sagemaker } from "./clients";
import type { Definition } from "./metrics";

export interface JobView {
  name: string;
  status?: string;
  detail?: string;
  reason?: string;
  created?: Date;
  ended?: Date;
  image: string;
  machine: string;
  parameters: Record<string, string>;
  places: { label: string; uri: string }[];
  definitions: Definition[];
  transitions: SecondaryStatusTransition[];
  tags: Tag[];
  /** S3 address of a Clarify result. */
  report?: string;
}

type Kind = "training" | "processing";

export function describeJob(kind: Kind, name: string): Promise<JobView> {
  return kind === "training" ? describeTraining(name) : describeProcessing(name);
}

async function describeTraining(name: string): Promise<JobView> {
  const { sdk, client } = await sagemaker();
  const job = await client.send(new sdk.DescribeTrainingJobCommand({ TrainingJobName: name }));
  const transitions = job.SecondaryStatusTransitions ?? [];
  const inputs = (job.InputDataConfig ?? []).map((channel) => ({ label: `Channel ${channel.ChannelName}`, uri: channel.DataSource?.S3DataSource?.S3Uri ?? "" }));
  const model = job.ModelArtifacts?.S3ModelArtifacts;
  const given = job.AlgorithmSpecification?.MetricDefinitions ?? [];
  return {
    name,
    status: job.TrainingJobStatus,
    detail: transitions.at(-1)?.StatusMessage ?? job.SecondaryStatus,
    reason: job.FailureReason,
    created: job.CreationTime,
    ended: job.TrainingEndTime,
    image: job.AlgorithmSpecification?.TrainingImage ?? "",
    machine: job.ResourceConfig?.InstanceType ?? "",
    parameters: job.HyperParameters ?? {},
    places: [...inputs, ...(model ? [{ label: "Model", uri: model }] : [])].filter((place) => place.uri),
    definitions: given.length ? given : builtIn(job.FinalMetricDataList?.map((metric) => metric.MetricName ?? "") ?? []),
    transitions,
    tags: await tagsOf(job.TrainingJobArn),
  };
}

/** Built-in XGBoost states its metrics without patterns; its log lines are `#011validation-auc:0.9`. */
function builtIn(names: string[]): Definition[] {
  return names.map((Name) => ({ Name, Regex: `(?:#011|\\t)${Name.replace(":", "-").replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}:([-0-9.e]+)` }));
}

async function describeProcessing(name: string): Promise<JobView> {
  const { sdk, client } = await sagemaker();
  const job = await client.send(new sdk.DescribeProcessingJobCommand({ ProcessingJobName: name }));
  const inputs = (job.ProcessingInputs ?? []).map((input) => ({ label: `Input ${input.InputName}`, uri: input.S3Input?.S3Uri ?? "" }));
  const outputs = (job.ProcessingOutputConfig?.Outputs ?? []).map((output) => ({ label: `Output ${output.OutputName}`, uri: output.S3Output?.S3Uri ?? "" }));
  const image = job.AppSpecification?.ImageUri ?? "";
  return {
    name,
    status: job.ProcessingJobStatus,
    reason: job.FailureReason ?? job.ExitMessage,
    created: job.CreationTime,
    ended: job.ProcessingEndTime,
    image,
    machine: job.ProcessingResources?.ClusterConfig?.InstanceType ?? "",
    parameters: job.Environment ?? {},
    places: [...inputs, ...outputs].filter((place) => place.uri),
    definitions: [],
    transitions: [],
    tags: await tagsOf(job.ProcessingJobArn),
    report: image.includes("sagemaker-clarify-processing") && job.ProcessingJobStatus === "Completed" ? outputs[0]?.uri : undefined,
  };
}

export async function tagsOf(arn: string | undefined): Promise<Tag[]> {
  const { sdk, client } = await sagemaker();
  return (await client.send(new sdk.ListTagsCommand({ ResourceArn: arn }))).Tags ?? [];
}

export async function stopJob(kind: Kind, name: string): Promise<void> {
  const { sdk, client } = await sagemaker();
  if (kind === "training") await client.send(new sdk.StopTrainingJobCommand({ TrainingJobName: name }));
  else await client.send(new sdk.StopProcessingJobCommand({ ProcessingJobName: name }));
}
