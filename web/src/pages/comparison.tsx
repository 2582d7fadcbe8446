import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { type Analysis, commonOutputs, differingSettings, type Pair, pairs, ranking, shown } from "../analysis";
import { Problem } from "../parts/problem";
import { Slopes } from "../parts/slopes";
import { Spans } from "../parts/spans";
import { reportConfig, reportFiles } from "../reportfiles";

async function load(first: string, second: string) {
  const [a, b, asked, askedToo] = await Promise.all([reportFiles(first), reportFiles(second), reportConfig(first), reportConfig(second)]);
  return { first: a.analysis, second: b.analysis, settings: differingSettings(asked, askedToo) };
}

/** Two reports side by side: metrics, importance, settings. */
export default function Comparison({ first, second }: { first: string; second: string }) {
  const query = useQuery({ queryKey: ["comparison", first, second], queryFn: () => load(first, second), staleTime: Infinity });
  if (query.error) return <Problem error={query.error} />;
  if (!query.data) return <Spinner size="large" />;
  const { settings } = query.data;
  const found = pairs(query.data.first, query.data.second);
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description={<>First {first}, then {second}</>}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button href={`#/reports/${encodeURIComponent(first)}`}>The first</Button>
            <Button href={`#/reports/${encodeURIComponent(second)}`}>The second</Button>
            <Button iconName="redo" href={`#/reports/${encodeURIComponent(second)}/${encodeURIComponent(first)}`}>Turn round</Button>
          </SpaceBetween>
        }
      >
        Two reports
      </Header>
      <Verdict found={found} />
      {found.length > 0 && <Metrics found={found} />}
      <Importance first={query.data.first} second={query.data.second} names={[first, second]} />
      <Table
        items={settings}
        variant="container"
        wrapLines
        header={<Header variant="h2" counter={`(${settings.length})`}>Settings that differ</Header>}
        empty="Both were asked for the same."
        columnDefinitions={[
          { id: "path", header: "Setting", cell: (item) => item.path, isRowHeader: true },
          { id: "first", header: "First", cell: (item) => item.first ?? "–" },
          { id: "second", header: "Second", cell: (item) => item.second ?? "–" },
        ]}
      />
    </SpaceBetween>
  );
}

function Verdict({ found }: { found: Pair[] }) {
  const both = found.filter((pair) => pair.overlap !== null);
  const apart = both.filter((pair) => pair.overlap === false);
  if (!both.length) return null;
  const names = [...new Set(apart.map((pair) => `${pair.metric.name} of ${pair.metric.group}`))];
  return (
    <Alert type={apart.length ? "warning" : "info"}>
      {apart.length
        ? `${apart.length} of ${both.length} metrics have intervals that do not meet: ${names.slice(0, 6).join(", ")}${names.length > 6 ? " and more" : ""}.`
        : `The intervals of all ${both.length} metrics overlap: the two do not plainly differ in any.`}
    </Alert>
  );
}

function Metrics({ found }: { found: Pair[] }) {
  const largest = Math.max(...found.flatMap(({ first, second }) => [first, second].flatMap((metric) => (typeof metric?.value === "number" ? [Math.abs(metric.value)] : []))), 0);
  const top = Math.min(largest, 1);
  return (
    <Table
      items={found}
      variant="container"
      wrapLines
      stripedRows
      header={<Header variant="h2" counter={`(${found.length})`}>Bias metrics</Header>}
      columnDefinitions={[
        { id: "name", header: "Metric", cell: ({ metric }) => <><Box fontWeight="bold">{metric.name}</Box><Box variant="small">{metric.description}</Box></>, isRowHeader: true },
        { id: "group", header: "Group", cell: ({ metric }) => <>{metric.group}<Box variant="small">{metric.stage}</Box></> },
        { id: "first", header: "First", cell: ({ first }) => shown(first?.value) },
        { id: "second", header: "Second", cell: ({ second }) => shown(second?.value) },
        { id: "spans", header: "With intervals", cell: ({ first, second }) => <Spans metrics={[first, second]} top={top} /> },
        { id: "difference", header: "Difference", cell: ({ difference }) => (difference === null ? "–" : `${difference > 0 ? "+" : ""}${difference.toFixed(4)}`) },
        { id: "overlap", header: "Intervals", cell: ({ overlap }) => (overlap === null ? "–" : overlap ? "overlap" : <Box color="text-status-warning">apart</Box>) },
      ]}
    />
  );
}

function Importance({ first, second, names }: { first: Analysis; second: Analysis; names: [string, string] }) {
  const outputs = commonOutputs(first, second);
  if (!outputs.length) return null;
  return (
    <Container header={<Header variant="h2" description="Global SHAP values, the largest first. Features that rose are green, those that fell are orange.">Importance of the features</Header>}>
      {outputs.map((output) => (
        <div key={output}>
          {outputs.length > 1 && <Box variant="h3">{output}</Box>}
          <Slopes first={ranking(first, output)} second={ranking(second, output)} names={names} />
        </div>
      ))}
    </Container>
  );
}
