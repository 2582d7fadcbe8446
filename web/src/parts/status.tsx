import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";

const TYPES: Record<string, StatusIndicatorProps.Type> = {
  Completed: "success",
  InService: "success",
  Failed: "error",
  Stopped: "stopped",
  Stopping: "stopped",
  Deleting: "stopped",
  Pending: "pending",
};

export function Status({ value }: { value?: string }) {
  return <StatusIndicator type={TYPES[value ?? ""] ?? "in-progress"}>{value ?? "Unknown"}</StatusIndicator>;
}

export const isLive = (status?: string) => !["Completed", "Failed", "Stopped", "InService"].includes(status ?? "");
