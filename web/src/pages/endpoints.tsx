import Link from "@cloudscape-design/components/link";
import type { EndpointSummary } from "@aws-sdk/client-sagemaker";
import { sagemaker } from "../clients";
import { ago } from "../format";
import { List } from "../parts/list";
import { isLive, Status } from "../parts/status";

export async function listEndpoints(NextToken?: string, NameContains?: string) {
  const { sdk, client } = await sagemaker();
  const answer = await client.send(new sdk.ListEndpointsCommand({ NextToken, NameContains, MaxResults: 50, SortBy: "CreationTime", SortOrder: "Descending" }));
  return { items: answer.Endpoints ?? [], next: answer.NextToken };
}

export default function Endpoints() {
  return (
    <List<EndpointSummary>
      title="Endpoints"
      name="endpoints"
      fetch={listEndpoints}
      live={(rows) => rows.some((row) => isLive(row.EndpointStatus))}
      call={{ service: "sagemaker", operation: "ListEndpoints", input: { SortBy: "CreationTime" } }}
      empty="Nothing is deployed, so nothing costs memory."
      columns={[
        { id: "name", header: "Name", cell: (row) => <Link href={`#/endpoints/${encodeURIComponent(row.EndpointName ?? "")}`}>{row.EndpointName}</Link>, isRowHeader: true },
        { id: "status", header: "Status", cell: (row) => <Status value={row.EndpointStatus} /> },
        { id: "created", header: "Made", cell: (row) => ago(row.CreationTime) },
      ]}
    />
  );
}
