import Link from "@cloudscape-design/components/link";
import { sagemaker } from "../clients";
import { ago } from "../format";
import { List } from "../parts/list";
import { isLive, Status } from "../parts/status";
import { listJobs, type Row } from "./jobs";

/** Processing jobs that ran Clarify; which image a job ran is only in its description. */
export async function listReports(token?: string, contains?: string, count = 30, status?: "Completed") {
  const page = await listJobs("processing", token, contains, count, status);
  const { sdk, client } = await sagemaker();
  const described = await Promise.all(page.items.map((row) => client.send(new sdk.DescribeProcessingJobCommand({ ProcessingJobName: row.name }))));
  return { ...page, items: page.items.filter((_, index) => described[index]?.AppSpecification?.ImageUri?.includes("sagemaker-clarify-processing")) };
}

export default function Reports() {
  return (
    <List<Row>
      title="Clarify reports"
      name="reports"
      fetch={listReports}
      live={(rows) => rows.some((row) => isLive(row.status))}
      call={{ service: "sagemaker", operation: "ListProcessingJobs", input: { SortBy: "CreationTime", SortOrder: "Descending" } }}
      empty="No bias or explanation report yet. Run `clary demo`, or SageMakerClarifyProcessor."
      columns={[
        { id: "name", header: "Report", cell: (row) => <Link href={`#/reports/${encodeURIComponent(row.name)}`}>{row.name}</Link>, isRowHeader: true },
        { id: "status", header: "Status", cell: (row) => <Status value={row.status} /> },
        { id: "created", header: "Started", cell: (row) => ago(row.created) },
      ]}
    />
  );
}
