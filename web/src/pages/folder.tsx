import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import Button from "@cloudscape-design/components/button";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { s3 } from "../clients";
import { ago, size } from "../format";
import { List } from "../parts/list";
import { Preview } from "../parts/preview";
import { Problem } from "../parts/problem";

interface Item {
  key: string;
  folder: boolean;
  size?: number;
  modified?: Date;
}

async function list(Bucket: string, Prefix: string, ContinuationToken?: string, contains?: string) {
  const { sdk, client } = await s3();
  const answer = await client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix, Delimiter: "/", ContinuationToken, MaxKeys: 200 }));
  const folders: Item[] = (answer.CommonPrefixes ?? []).map((item) => ({ key: item.Prefix ?? "", folder: true }));
  const files: Item[] = (answer.Contents ?? []).map((item) => ({ key: item.Key ?? "", folder: false, size: item.Size, modified: item.LastModified }));
  return { items: [...folders, ...files].filter((item) => item.key.slice(Prefix.length).includes(contains ?? "")), next: answer.NextContinuationToken };
}

const link = (bucket: string, key: string) => `#/s3/${bucket}/${encodeURIComponent(key)}`;

function crumbs(bucket: string, prefix: string) {
  const names = prefix.split("/").filter(Boolean);
  const places = names.map((text, index) => ({ text, href: link(bucket, names.slice(0, index + 1).join("/") + "/") }));
  return [{ text: "Buckets", href: "#/s3" }, { text: bucket, href: `#/s3/${bucket}` }, ...places];
}

export default function Folder({ bucket, prefix }: { bucket: string; prefix: string }) {
  const queries = useQueryClient();
  const chooser = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  if (prefix && !prefix.endsWith("/")) return <Preview bucket={bucket} name={prefix} crumbs={crumbs(bucket, prefix)} />;
  const upload = async (files: FileList | null) => {
    setProblem(null);
    try {
      const { sdk, client } = await s3();
      for (const file of files ?? []) {
        const Body = new Uint8Array(await file.arrayBuffer());
        await client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key: prefix + file.name, Body, ContentType: file.type || undefined }));
      }
      await queries.invalidateQueries({ queryKey: ["list"] });
    } catch (error) {
      setProblem(error as Error);
    }
  };
  return (
    <SpaceBetween size="m">
      <BreadcrumbGroup items={crumbs(bucket, prefix)} ariaLabel="Folder" />
      <Problem error={problem} />
      <List<Item>
        title={prefix.split("/").filter(Boolean).pop() ?? bucket}
        name={`s3/${bucket}/${prefix}`}
        fetch={(token, contains) => list(bucket, prefix, token, contains)}
        live={() => false}
        call={{ service: "s3", operation: "ListObjectsV2", input: { Bucket: bucket, Prefix: prefix, Delimiter: "/" } }}
        empty="There is nothing here."
        actions={
          <>
            <input ref={chooser} type="file" multiple hidden aria-hidden onChange={(event) => void upload(event.target.files)} />
            <Button iconName="upload" onClick={() => chooser.current?.click()}>Upload</Button>
          </>
        }
        columns={[
          { id: "name", header: "Name", cell: (item) => <Link href={link(bucket, item.key)}>{item.key.slice(prefix.length) || item.key}</Link>, isRowHeader: true },
          { id: "size", header: "Size", cell: (item) => (item.folder ? "–" : size(item.size)) },
          { id: "modified", header: "Changed", cell: (item) => (item.folder ? "–" : ago(item.modified)) },
        ]}
      />
    </SpaceBetween>
  );
}
