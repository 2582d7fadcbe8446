import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { objectKeys, objectText } from "../clients";
import { s3Link, splitUri } from "../format";
import { describeJob } from "../jobview";
import { CopyCall } from "../parts/copycall";
import { Problem } from "../parts/problem";

interface Metric {
  stage: string;
  facet: string;
  value: string;
  name: string;
  description: string;
  result: number | string | null;
}

interface Analysis {
  [stage: string]: { facets?: Record<string, { value_or_threshold: string; metrics: { name: string; description: string; value: number | string | null }[] }[]> };
}

async function load(name: string) {
  const job = await describeJob("processing", name);
  if (!job.report) throw new Error(`The job ${name} has no report: it is ${job.status ?? "unknown"}. ${job.reason ?? ""}`);
  const [bucket, prefix] = splitUri(job.report);
  // A report is named by its configuration, and there is none where none was asked for.
  const keys = await objectKeys(bucket, `${prefix}/`);
  const page = keys.find((key) => key.endsWith(".html"));
  const notebook = keys.find((key) => key.endsWith(".ipynb"));
  const [html, analysis] = await Promise.all([page ? objectText(bucket, page) : "", objectText(bucket, `${prefix}/analysis.json`)]);
  return { uri: job.report, bucket, prefix, html, notebook, metrics: metricsOf(JSON.parse(analysis) as Analysis) };
}

function metricsOf(analysis: Analysis): Metric[] {
  const stages = { pre_training_bias_metrics: "Data", post_training_bias_metrics: "Predictions" };
  return Object.entries(stages).flatMap(([key, stage]) =>
    Object.entries(analysis[key]?.facets ?? {}).flatMap(([facet, groups]) =>
      groups.flatMap((group) =>
        group.metrics.map((metric) => ({ stage, facet, value: group.value_or_threshold, name: metric.name, description: metric.description, result: metric.value })),
      ),
    ),
  );
}

export default function Report({ name }: { name: string }) {
  const query = useQuery({ queryKey: ["report", name], queryFn: () => load(name), staleTime: Infinity });
  if (query.error) return <Problem error={query.error} />;
  if (!query.data) return <Spinner size="large" />;
  const { uri, bucket, prefix, html, notebook, metrics } = query.data;
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button href={s3Link(uri + "/")}>Its files</Button>
            <Button href={`#/jobs/processing/${encodeURIComponent(name)}`}>Its job</Button>
            <CopyCall call={{ service: "s3", operation: "GetObject", input: { Bucket: bucket, Key: `${prefix}/analysis.json` } }} />
          </SpaceBetween>
        }
      >
        {name}
      </Header>
      {/* Without allow-same-origin and allow-scripts: whatever a report holds, it cannot act as the Studio. */}
      {html && <iframe className="report" title={`Report of ${name}`} srcDoc={html} sandbox="" />}
      {metrics.length > 0 && (
        <Table
          items={metrics}
          wrapLines
          variant="container"
          header={<Header variant="h2" counter={`(${metrics.length})`}>Bias metrics</Header>}
          columnDefinitions={[
            { id: "name", header: "Metric", cell: (metric) => metric.name, isRowHeader: true },
            { id: "description", header: "What it is", cell: (metric) => metric.description },
            { id: "stage", header: "Of", cell: (metric) => metric.stage },
            { id: "facet", header: "Group", cell: (metric) => `${metric.facet}: ${metric.value}` },
            { id: "result", header: "Value", cell: (metric) => (typeof metric.result === "number" ? metric.result.toFixed(4) : (metric.result ?? "–")) },
          ]}
        />
      )}
      {notebook && <Container><Box color="text-body-secondary">The same report, as a notebook: s3://{bucket}/{notebook}</Box></Container>}
    </SpaceBetween>
  );
}
