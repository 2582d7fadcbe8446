import Alert from "@cloudscape-design/components/alert";

export function Problem({ error }: { error: Error | null }) {
  return error ? <Alert type="error" header={error.name}>{error.message}</Alert> : null;
}
