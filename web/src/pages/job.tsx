import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { describeJob, type JobView, stopJob } from "../jobview";
import { ago, duration, s3Link } from "../format";
import { series } from "../metrics";
import { Chart } from "../parts/chart";
import { CopyCall } from "../parts/copycall";
import { Log, useLog } from "../parts/log";
import { Problem } from "../parts/problem";
import { isLive, Status } from "../parts/status";

interface Props {
  kind: "training" | "processing";
  name: string;
}

export default function Job({ kind, name }: Props) {
  const query = useQuery({
    queryKey: ["job", kind, name],
    queryFn: () => describeJob(kind, name),
    refetchInterval: ({ state }) => (isLive(state.data?.status) ? 1000 : false),
  });
  if (query.error) return <Problem error={query.error} />;
  return query.data ? <Shown job={query.data} kind={kind} /> : <Spinner size="large" />;
}

function Shown({ job, kind }: { job: JobView; kind: Props["kind"] }) {
  const queries = useQueryClient();
  const stop = useMutation({
    mutationFn: () => stopJob(kind, job.name),
    onSettled: () => queries.invalidateQueries({ queryKey: ["job", kind, job.name] }),
  });
  const lines = useLog(`/aws/sagemaker/${kind === "training" ? "TrainingJobs" : "ProcessingJobs"}`, `${job.name}/`, isLive(job.status));
  const charts = [...series(lines, job.definitions)];
  const live = isLive(job.status);
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description={kind === "training" ? "Training job" : "Processing job"}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <CopyCall call={{ service: "sagemaker", operation: kind === "training" ? "DescribeTrainingJob" : "DescribeProcessingJob", input: { [kind === "training" ? "TrainingJobName" : "ProcessingJobName"]: job.name } }} />
            {job.report && <Button href={`#/reports/${encodeURIComponent(job.name)}`}>Open the report</Button>}
            {live && <Button loading={stop.isPending} onClick={() => stop.mutate()}>Stop</Button>}
          </SpaceBetween>
        }
      >
        {job.name}
      </Header>
      <Problem error={stop.error} />
      {job.reason && <Alert type={job.status === "Failed" ? "error" : "info"} header={job.status === "Failed" ? "Why it failed" : "What it said"}><span style={{ whiteSpace: "pre-wrap" }}>{job.reason}</span></Alert>}
      <Container>
        <KeyValuePairs
          columns={4}
          items={[
            { label: "Status", value: <><Status value={job.status} />{live && job.detail && <Box color="text-body-secondary">{job.detail}</Box>}</> },
            { label: "Started", value: ago(job.created) },
            { label: "Took", value: duration(job.created, job.ended) },
            { label: "Machine", value: job.machine },
            { label: "Image", value: job.image.split("/").pop() ?? "" },
            ...job.places.map(({ label, uri }) => ({ label, value: <Link href={s3Link(uri)}>{uri}</Link> })),
          ]}
        />
      </Container>
      {charts.length > 0 && (
        <Container header={<Header variant="h2">Metrics</Header>}>
          <ColumnLayout columns={2}>{charts.map(([metric, points]) => <Chart key={metric} name={metric} points={points} />)}</ColumnLayout>
        </Container>
      )}
      <Container header={<Header variant="h2" counter={lines.length ? `(${lines.length})` : undefined}>Log</Header>}><Log lines={lines} /></Container>
      <ColumnLayout columns={2}>
        {Object.keys(job.parameters).length > 0 && (
          <Container header={<Header variant="h2">{kind === "training" ? "Hyperparameters" : "Environment"}</Header>}>
            <KeyValuePairs columns={2} items={Object.entries(job.parameters).map(([label, value]) => ({ label, value }))} />
          </Container>
        )}
        {job.transitions.length > 0 && (
          <Container header={<Header variant="h2">What happened</Header>}>
            <KeyValuePairs columns={1} items={job.transitions.map((step) => ({ label: `${step.Status} (${duration(step.StartTime, step.EndTime)})`, value: step.StatusMessage ?? "" }))} />
          </Container>
        )}
        {job.tags.length > 0 && (
          <Container header={<Header variant="h2">Tags</Header>}>
            <KeyValuePairs columns={2} items={job.tags.map(({ Key, Value }) => ({ label: Key ?? "", value: Value ?? "" }))} />
          </Container>
        )}
      </ColumnLayout>
    </SpaceBetween>
  );
}
