import Box from "@cloudscape-design/components/box";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { type Effect, type Explained, strongest } from "../explained";

const RECORDS = 10;
const EFFECTS = 20;

/** What each feature adds to a prediction, as bars around a middle line. */
export function Attributions({ answer, text }: { answer: Explained; text: string }) {
  const [output, setOutput] = useState(0);
  const at = Math.min(output, Math.max(answer.labels.length - 1, 0));
  const options = answer.labels.map((label, value) => ({ value: `${value}`, label }));
  return (
    <SpaceBetween size="s">
      <pre className="code">{answer.predictions}</pre>
      {options.length > 1 && (
        <FormField label="Explained output">
          <Select options={options} selectedOption={options[at] ?? null} onChange={({ detail }) => setOutput(Number(detail.selectedOption.value))} />
        </FormField>
      )}
      {answer.records.length === 0 && <Box color="text-body-secondary">No record is explained.</Box>}
      {answer.records.slice(0, RECORDS).map((record, number) => (
        <div key={number}>
          <Box variant="h4">Record {number + 1}{record ? "" : ": not explained"}</Box>
          {record && <Bars record={record} output={at} />}
        </div>
      ))}
      {answer.records.length > RECORDS && <Box color="text-body-secondary">and {answer.records.length - RECORDS} more records</Box>}
      <ExpandableSection headerText="The answer as it came"><pre className="code">{text}</pre></ExpandableSection>
    </SpaceBetween>
  );
}

function Bars({ record, output }: { record: Effect[]; output: number }) {
  const [ranked, largest] = strongest(record, output, EFFECTS);
  return (
    <div className="effects">
      {ranked.map((effect, at) => {
        const value = effect.values[output] ?? 0;
        const width = (50 * Math.abs(value)) / largest;
        return [
          <span key={`${at}n`} dir="auto">{effect.name}</span>,
          <svg key={`${at}b`} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
            <rect className="middle" x="49.9" width="0.2" height="10" />
            <rect className={value < 0 ? "down" : "up"} x={value < 0 ? 50 - width : 50} y="1" width={width} height="8" />
          </svg>,
          <span key={`${at}v`} className="value">{value > 0 ? "+" : ""}{value.toPrecision(3)}</span>,
        ];
      })}
      {record.length > ranked.length && <span>and {record.length - ranked.length} more</span>}
    </div>
  );
}
