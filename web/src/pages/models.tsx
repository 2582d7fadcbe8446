import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import type { ModelSummary } from "@aws-sdk/client-sagemaker";
import { useQuery } from "@tanstack/react-query";
import { sagemaker } from "../clients";
import { ago, s3Link } from "../format";
import { CopyCall } from "../parts/copycall";
import { List } from "../parts/list";
import { Problem } from "../parts/problem";

async function list(NextToken?: string, NameContains?: string) {
  const { sdk, client } = await sagemaker();
  const answer = await client.send(new sdk.ListModelsCommand({ NextToken, NameContains, MaxResults: 50, SortBy: "CreationTime", SortOrder: "Descending" }));
  return { items: answer.Models ?? [], next: answer.NextToken };
}

export default function Models({ name }: { name?: string }) {
  if (name) return <Model name={name} />;
  return (
    <List<ModelSummary>
      title="Models"
      name="models"
      fetch={list}
      live={() => false}
      call={{ service: "sagemaker", operation: "ListModels", input: { SortBy: "CreationTime" } }}
      empty="No model yet. CreateModel makes one of a training job's archive."
      columns={[
        { id: "name", header: "Name", cell: (model) => <Link href={`#/models/${encodeURIComponent(model.ModelName ?? "")}`}>{model.ModelName}</Link>, isRowHeader: true },
        { id: "created", header: "Made", cell: (model) => ago(model.CreationTime) },
      ]}
    />
  );
}

async function describe(ModelName: string) {
  const { sdk, client } = await sagemaker();
  return client.send(new sdk.DescribeModelCommand({ ModelName }));
}

function Model({ name }: { name: string }) {
  const query = useQuery({ queryKey: ["model", name], queryFn: () => describe(name) });
  if (query.error) return <Problem error={query.error} />;
  if (!query.data) return <Spinner size="large" />;
  const { PrimaryContainer: container, CreationTime, ExecutionRoleArn, ModelArn } = query.data;
  const archive = container?.ModelDataUrl;
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description="Model" actions={<CopyCall call={{ service: "sagemaker", operation: "DescribeModel", input: { ModelName: name } }} />}>{name}</Header>
      <Container>
        <KeyValuePairs
          columns={2}
          items={[
            { label: "Made", value: ago(CreationTime) },
            { label: "Image", value: container?.Image ?? "–" },
            { label: "Archive", value: archive ? <Link href={s3Link(archive)}>{archive}</Link> : "–" },
            { label: "Role", value: ExecutionRoleArn ?? "–" },
            { label: "ARN", value: ModelArn ?? "" },
            ...Object.entries(container?.Environment ?? {}).map(([label, value]) => ({ label, value })),
          ]}
        />
      </Container>
    </SpaceBetween>
  );
}
