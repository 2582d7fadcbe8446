import Box from "@cloudscape-design/components/box";
import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { download, objectText, s3 } from "../clients";
import { ago, size } from "../format";
import { go } from "../route";
import { CopyCall } from "./copycall";
import { Problem } from "./problem";

const LIMIT = 64 * 1024;
const TEXT = /\.(txt|csv|json|jsonl|ipynb|md|log|py|yaml|yml|toml|html|xml)$/i;

async function load(Bucket: string, Key: string) {
  const { sdk, client } = await s3();
  const head = await client.send(new sdk.HeadObjectCommand({ Bucket, Key }));
  const readable = TEXT.test(Key) || head.ContentType?.startsWith("text/") || head.ContentType === "application/json";
  const text = readable && head.ContentLength ? await objectText(Bucket, Key, LIMIT) : null;
  return { head, text };
}

interface Props {
  bucket: string;
  name: string;
  crumbs: { text: string; href: string }[];
}

export function Preview({ bucket, name, crumbs }: Props) {
  const [asking, setAsking] = useState(false);
  const query = useQuery({ queryKey: ["object", bucket, name], queryFn: () => load(bucket, name) });
  const folder = name.slice(0, name.lastIndexOf("/") + 1);
  const remove = useMutation({
    mutationFn: async () => {
      const { sdk, client } = await s3();
      await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: name }));
    },
    onSuccess: () => go(`/s3/${bucket}/${encodeURIComponent(folder)}`),
  });
  if (query.error) return <Problem error={query.error} />;
  if (!query.data) return <Spinner size="large" />;
  const { head, text } = query.data;
  const cut = (head.ContentLength ?? 0) > LIMIT;
  return (
    <SpaceBetween size="m">
      <BreadcrumbGroup items={crumbs} ariaLabel="Folder" />
      <Header
        variant="h1"
        description={`${size(head.ContentLength)}, ${head.ContentType ?? ""}, ${ago(head.LastModified)}`}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <CopyCall call={{ service: "s3", operation: "GetObject", input: { Bucket: bucket, Key: name } }} />
            <Button iconName="download" onClick={() => void download(bucket, name)}>Download</Button>
            <Button onClick={() => setAsking(true)}>Delete</Button>
          </SpaceBetween>
        }
      >
        {name.split("/").pop()}
      </Header>
      <Modal visible={asking} onDismiss={() => setAsking(false)} header="Delete this object?" closeAriaLabel="Close" footer={<Box float="right"><Button variant="primary" loading={remove.isPending} onClick={() => remove.mutate()}>Delete it</Button></Box>}>
        {name} is deleted for good.
      </Modal>
      <Problem error={remove.error} />
      {text === null ? <Container>This kind of file has no preview. Download it to look inside.</Container> : <Content name={name} text={text} />}
      {text !== null && cut && <Box color="text-body-secondary">The first {size(LIMIT)} of {size(head.ContentLength)}.</Box>}
    </SpaceBetween>
  );
}

function Content({ name, text }: { name: string; text: string }) {
  if (/\.csv$/i.test(name)) return <Rows text={text} />;
  let shown = text;
  if (/\.(json|ipynb)$/i.test(name)) {
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // it was cut, or is no JSON: shown as it is
    }
  }
  return <Container><pre className="code">{shown}</pre></Container>;
}

function Rows({ text }: { text: string }) {
  const rows = text.split(/\r?\n/).slice(0, 51).map((line) => line.match(/("([^"]|"")*"|[^,]*)(,|$)/g)?.map((cell) => cell.replace(/,$/, "").replace(/^"|"$/g, "")) ?? []);
  const width = Math.min(rows[0]?.length ?? 0, 40);
  const columns = Array.from({ length: width }, (_, index) => ({ id: String(index), header: rows[0]?.[index] ?? "", cell: (row: string[]) => row[index] ?? "" }));
  return <Table items={rows.slice(1, 51)} columnDefinitions={columns} variant="container" contentDensity="compact" header={<Header variant="h2">First rows</Header>} />;
}
