import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { runtime } from "../clients";
import { explained } from "../explained";
import { Attributions } from "./attributions";
import { Problem } from "./problem";

const TYPES = ["application/x-text", "text/csv", "application/json", "application/jsonlines"].map((value) => ({ value, label: value }));
const ACCEPT: Record<string, string> = { "application/x-text": "application/json;verbose", "text/csv": "text/csv", "application/json": "application/json", "application/jsonlines": "application/jsonlines" };

async function invoke(EndpointName: string, type: string, text: string) {
  const { sdk, client } = await runtime();
  const started = performance.now();
  const answer = await client.send(
    new sdk.InvokeEndpointCommand({ EndpointName, ContentType: type, Accept: ACCEPT[type], Body: new TextEncoder().encode(text) }),
  );
  return { text: new TextDecoder().decode(answer.Body), milliseconds: performance.now() - started, variant: answer.InvokedProductionVariant };
}

/** Ask the endpoint something, and see its answer and how long it took. */
export function TryIt({ endpoint }: { endpoint: string }) {
  const [type, setType] = useState("application/x-text");
  const [text, setText] = useState("I love this banana slicer");
  const ask = useMutation({ mutationFn: () => invoke(endpoint, type, text) });
  const reasons = ask.data && explained(ask.data.text);
  return (
    <Container header={<Header variant="h2">Try it</Header>}>
      <SpaceBetween size="m">
        <FormField label="Content type">
          <Select options={TYPES} selectedOption={{ value: type, label: type }} onChange={({ detail }) => setType(detail.selectedOption.value ?? type)} />
        </FormField>
        <FormField label="What to ask">
          <Textarea value={text} rows={4} onChange={({ detail }) => setText(detail.value)} />
        </FormField>
        <Button variant="primary" loading={ask.isPending} onClick={() => ask.mutate()}>Ask</Button>
        <Problem error={ask.error} />
        {ask.data && (
          <div aria-live="polite">
            <Box variant="awsui-key-label">Answer in {ask.data.milliseconds.toFixed(0)} ms, by {ask.data.variant}</Box>
            {reasons ? <Attributions answer={reasons} text={ask.data.text} /> : <pre className="code">{ask.data.text}</pre>}
          </div>
        )}
      </SpaceBetween>
    </Container>
  );
}
