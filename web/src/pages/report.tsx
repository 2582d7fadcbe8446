import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { metricsOf, shown } from "../analysis";
import { download, objectText } from "../clients";
import { ago, s3Link } from "../format";
import { CopyCall } from "../parts/copycall";
import { Problem } from "../parts/problem";
import { reportFiles } from "../reportfiles";
import { go } from "../route";
import { listReports } from "./reports";

async function load(name: string) {
  const files = await reportFiles(name);
  return { files, html: files.page ? await objectText(files.bucket, files.page) : "", metrics: metricsOf(files.analysis) };
}

export default function Report({ name }: { name: string }) {
  const query = useQuery({ queryKey: ["report", name], queryFn: () => load(name), staleTime: Infinity });
  if (query.error) return <Problem error={query.error} />;
  if (!query.data) return <Spinner size="large" />;
  const { files, html, metrics } = query.data;
  const { bucket, prefix, notebook, pdf } = files;
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Compare name={name} />
            {pdf && <Button iconName="download" onClick={() => void download(bucket, pdf)}>PDF</Button>}
            {notebook && <Button iconName="download" onClick={() => void download(bucket, notebook)}>Notebook</Button>}
            <Button href={s3Link(files.uri + "/")}>Its files</Button>
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
            { id: "group", header: "Group", cell: (metric) => metric.group },
            { id: "value", header: "Value", cell: (metric) => shown(metric.value) },
            { id: "interval", header: "Interval", cell: ({ interval }) => (interval ? `${interval[0].toFixed(4)} to ${interval[1].toFixed(4)}` : "–") },
          ]}
        />
      )}
    </SpaceBetween>
  );
}

/** Another report to lay beside this one. */
function Compare({ name }: { name: string }) {
  const query = useQuery({ queryKey: ["reports", "others"], queryFn: () => listReports(undefined, undefined, 100) });
  const others = (query.data?.items ?? []).filter((row) => row.name !== name && row.status === "Completed");
  return (
    <Select
      placeholder="Compare with"
      ariaLabel="Compare with"
      selectedOption={null}
      statusType={query.isLoading ? "loading" : "finished"}
      empty="There is no other finished report."
      filteringType="auto"
      expandToViewport
      options={others.map((row) => ({ value: row.name, label: row.name, description: ago(row.created) }))}
      onChange={({ detail }) => go(`/reports/${encodeURIComponent(name)}/${encodeURIComponent(detail.selectedOption.value ?? "")}`)}
    />
  );
}
