import Box from "@cloudscape-design/components/box";
import { useEffect, useRef, useState } from "react";
import { logs } from "../clients";
import type { OutputLogEvent } from "@aws-sdk/client-cloudwatch-logs";

const MAX_LINES = 5000;

/** The lines of a stream, followed for as long as `live`. */
export function useLog(group: string, prefix: string, live: boolean): OutputLogEvent[] {
  const [lines, setLines] = useState<OutputLogEvent[]>([]);
  const token = useRef<string | undefined>(undefined);
  useEffect(() => {
    let stopped = false;
    let timer = 0;
    const look = async () => {
      try {
        const got = await read(group, prefix, token.current);
        token.current = got.token;
        if (!stopped && got.events.length) setLines((old) => [...old, ...got.events].slice(-MAX_LINES));
        if (!stopped && (live || got.events.length)) timer = window.setTimeout(() => void look(), got.events.length ? 100 : 1000);
      } catch {
        if (!stopped && live) timer = window.setTimeout(() => void look(), 2000); // nothing written yet
      }
    };
    void look();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [group, prefix, live]);
  return lines;
}

async function read(group: string, prefix: string, nextToken: string | undefined) {
  const { sdk, client } = await logs();
  const found = await client.send(new sdk.DescribeLogStreamsCommand({ logGroupName: group, logStreamNamePrefix: prefix }));
  const stream = found.logStreams?.[0]?.logStreamName;
  if (!stream) return { events: [], token: nextToken };
  const answer = await client.send(
    new sdk.GetLogEventsCommand({ logGroupName: group, logStreamName: stream, startFromHead: true, nextToken }),
  );
  return { events: answer.events ?? [], token: answer.nextForwardToken };
}

export function Log({ lines }: { lines: OutputLogEvent[] }) {
  const end = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const box = end.current;
    if (box && box.scrollHeight - box.scrollTop - box.clientHeight < 200) box.scrollTop = box.scrollHeight;
  }, [lines]);
  if (!lines.length) return <Box color="text-body-secondary">No line has been written yet.</Box>;
  return <pre className="log" ref={end} tabIndex={0} aria-label="Log">{lines.map((line) => line.message).join("\n")}</pre>;
}
