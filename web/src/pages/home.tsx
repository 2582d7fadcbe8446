import Box from "@cloudscape-design/components/box";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ago } from "../format";
import { Problem } from "../parts/problem";
import { Status } from "../parts/status";
import { listEndpoints } from "./endpoints";
import { listJobs } from "./jobs";
import { listReports } from "./reports";

const SHOWN = 8;

interface Entry {
  href: string;
  name: string;
  status?: string;
  time?: Date;
}

async function jobEntries(count: number, status?: "InProgress" | "Stopping"): Promise<Entry[]> {
  const kinds = ["training", "processing"];
  const pages = await Promise.all(kinds.map((kind) => listJobs(kind, undefined, undefined, count, status)));
  return pages
    .flatMap((page, i) => page.items.map((job): Entry => ({ href: `#/jobs/${kinds[i]}/${job.name}`, name: job.name, status: job.status, time: job.created })))
    .sort((a, b) => (b.time?.getTime() ?? 0) - (a.time?.getTime() ?? 0));
}

async function load() {
  const [jobs, going, stopping, endpoints, reports] = await Promise.all([
    jobEntries(SHOWN),
    jobEntries(100, "InProgress"),
    jobEntries(100, "Stopping"),
    listEndpoints(),
    listReports(undefined, undefined, 10, "Completed"),
  ]);
  return {
    jobs,
    going: [...going, ...stopping],
    all: !endpoints.next,
    endpoints: endpoints.items.map((item): Entry => ({ href: `#/endpoints/${item.EndpointName}`, name: item.EndpointName ?? "", status: item.EndpointStatus, time: item.CreationTime })),
    reports: reports.items.map((job): Entry => ({ href: `#/reports/${job.name}`, name: job.name, status: job.status, time: job.created })),
  };
}

/** The newest of them; `counted` where all of them are here, so that their number can be told. */
function Entries({ title, entries, empty, counted }: { title: string; entries: Entry[]; empty: ReactNode; counted?: boolean }) {
  return (
    <Container header={<Header variant="h2" counter={counted && entries.length ? `(${entries.length})` : undefined}>{title}</Header>} fitHeight>
      {entries.length === 0 && <Box color="text-body-secondary">{empty}</Box>}
      <SpaceBetween size="s">
        {entries.slice(0, SHOWN).map((entry) => (
          <div key={entry.href}>
            <Link href={entry.href}>{entry.name}</Link>
            <Box color="text-body-secondary" fontSize="body-s"><Status value={entry.status} /> · {ago(entry.time)}</Box>
          </div>
        ))}
      </SpaceBetween>
    </Container>
  );
}

export default function Home() {
  const query = useQuery({ queryKey: ["home"], queryFn: load, refetchInterval: 3000 });
  if (query.error) return <Problem error={query.error} />;
  if (!query.data) return <Spinner size="large" />;
  const { jobs, going, endpoints, reports, all } = query.data;
  const running = [...going, ...endpoints];
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description="Train, explain, deploy and serve on this machine. Nothing leaves it.">Home</Header>
      <ColumnLayout columns={2}>
        <Entries title="Running now" entries={running} counted={all} empty="Nothing runs, so nothing costs." />
        <Entries title="Recent jobs" entries={jobs} empty={<>No job yet. In a terminal: <code>clary demo</code> runs the whole story on real data.</>} />
        <Entries title="Recent reports" entries={reports} empty="No bias or explanation report yet." />
        <Container header={<Header variant="h2">Next steps</Header>} fitHeight>
          <SpaceBetween size="s">
            <Box>Use your own code: <code>clary run -- python train.py</code> (with the <code>--home</code> that this Clary was started with, if any).</Box>
            <Box>Look at the data in the <Link href="#/s3">S3 browser</Link>, at a <Link href="#/reports">report</Link>, or ask an <Link href="#/endpoints">endpoint</Link>.</Box>
          </SpaceBetween>
        </Container>
      </ColumnLayout>
    </SpaceBetween>
  );
}
