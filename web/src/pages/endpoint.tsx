import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { sagemaker } from "../clients";
import { ago } from "../format";
import { CopyCall } from "../parts/copycall";
import { Log, useLog } from "../parts/log";
import { Problem } from "../parts/problem";
import { isLive, Status } from "../parts/status";
import { TryIt } from "../parts/tryit";
import { go } from "../route";

async function describe(EndpointName: string) {
  const { sdk, client } = await sagemaker();
  return client.send(new sdk.DescribeEndpointCommand({ EndpointName }));
}

async function remove(EndpointName: string) {
  const { sdk, client } = await sagemaker();
  await client.send(new sdk.DeleteEndpointCommand({ EndpointName }));
}

export default function Endpoint({ name }: { name: string }) {
  const [asking, setAsking] = useState(false);
  const query = useQuery({
    queryKey: ["endpoint", name],
    queryFn: () => describe(name),
    refetchInterval: ({ state }) => (isLive(state.data?.EndpointStatus) ? 1000 : 5000),
  });
  const stop = useMutation({ mutationFn: () => remove(name), onSuccess: () => go("/endpoints") });
  const lines = useLog(`/aws/sagemaker/Endpoints/${name}`, "", true);
  if (query.error) return <Problem error={query.error} />;
  if (!query.data) return <Spinner size="large" />;
  const { EndpointStatus: status, FailureReason, CreationTime, EndpointConfigName, ProductionVariants = [] } = query.data;
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description="Endpoint"
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <CopyCall call={{ service: "sagemaker-runtime", operation: "InvokeEndpoint", input: { EndpointName: name, ContentType: "text/csv", Body: "39,State-gov,77516" } }} />
            <Button onClick={() => setAsking(true)}>Stop</Button>
          </SpaceBetween>
        }
      >
        {name}
      </Header>
      <Modal
        visible={asking}
        onDismiss={() => setAsking(false)}
        header={`Stop ${name}?`}
        closeAriaLabel="Close"
        footer={<Box float="right"><SpaceBetween direction="horizontal" size="xs"><Button variant="link" onClick={() => setAsking(false)}>Keep it</Button><Button variant="primary" loading={stop.isPending} onClick={() => stop.mutate()}>Stop it</Button></SpaceBetween></Box>}
      >
        The endpoint is deleted and answers no more. Its model and configuration stay, so it can be made again.
      </Modal>
      <Problem error={stop.error} />
      {FailureReason && <Alert type="error" header="Why it failed"><span style={{ whiteSpace: "pre-wrap" }}>{FailureReason}</span></Alert>}
      <Container>
        <KeyValuePairs columns={3} items={[{ label: "Status", value: <Status value={status} /> }, { label: "Made", value: ago(CreationTime) }, { label: "Configuration", value: EndpointConfigName ?? "" }]} />
      </Container>
      {status === "InService" && <TryIt endpoint={name} />}
      <Table
        items={ProductionVariants}
        variant="container"
        wrapLines
        header={<Header variant="h2">Variants</Header>}
        columnDefinitions={[
          { id: "name", header: "Variant", cell: (variant) => variant.VariantName, isRowHeader: true },
          { id: "workers", header: "Workers", cell: (variant) => `${variant.CurrentInstanceCount ?? 0} of ${variant.DesiredInstanceCount ?? 0}` },
          { id: "weight", header: "Weight", cell: (variant) => variant.CurrentWeight },
          { id: "status", header: "Told", cell: (variant) => variant.VariantStatus?.map((item) => item.StatusMessage ?? item.Status).join("; ") ?? "–" },
        ]}
      />
      <Container header={<Header variant="h2">Log</Header>}><Log lines={lines} /></Container>
    </SpaceBetween>
  );
}
