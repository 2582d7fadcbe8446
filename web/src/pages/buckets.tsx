import Link from "@cloudscape-design/components/link";
import type { Bucket } from "@aws-sdk/client-s3";
import { s3 } from "../clients";
import { ago } from "../format";
import { List } from "../parts/list";

async function list(ContinuationToken?: string, contains?: string) {
  const { sdk, client } = await s3();
  const answer = await client.send(new sdk.ListBucketsCommand({ ContinuationToken, MaxBuckets: 200 }));
  return { items: (answer.Buckets ?? []).filter((bucket) => bucket.Name?.includes(contains ?? "")), next: answer.ContinuationToken };
}

export default function Buckets() {
  return (
    <List<Bucket>
      title="Buckets"
      name="buckets"
      fetch={list}
      live={() => false}
      call={{ service: "s3", operation: "ListBuckets", input: {} }}
      empty="No bucket yet. The SageMaker SDK and `clary demo` make one."
      columns={[
        { id: "name", header: "Bucket", cell: (bucket) => <Link href={`#/s3/${bucket.Name}`}>{bucket.Name}</Link>, isRowHeader: true },
        { id: "created", header: "Made", cell: (bucket) => ago(bucket.CreationDate) },
      ]}
    />
  );
}
