import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { ApiCall } from "../snippets";
import { CopyCall } from "./copycall";
import { Problem } from "./problem";

export interface Page<T> {
  items: T[];
  next?: string;
}

interface Props<T> {
  title: string;
  name: string;
  columns: TableProps.ColumnDefinition<T>[];
  call: ApiCall;
  empty: ReactNode;
  actions?: ReactNode;
  live: (items: T[]) => boolean;
  fetch: (token: string | undefined, contains: string | undefined) => Promise<Page<T>>;
}

/** A list of one noun: filtered and paged by the server, kept fresh while something in it is going on. */
export function List<T>({ title, name, columns, call, empty, actions, live, fetch }: Props<T>) {
  const [typed, setTyped] = useState("");
  const [filter, setFilter] = useState("");
  const query = useInfiniteQuery({
    queryKey: ["list", name, filter],
    queryFn: ({ pageParam }) => fetch(pageParam || undefined, filter || undefined),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    refetchInterval: ({ state }) => (live(state.data?.pages.flatMap((page) => page.items) ?? []) ? 1500 : 10000),
  });
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <SpaceBetween size="m">
      <Problem error={query.error} />
      <Table
        items={items}
        columnDefinitions={columns}
        loading={query.isLoading}
        loadingText={`Asking for ${title.toLowerCase()}`}
        variant="container"
        stripedRows
        wrapLines
        header={
          <Header variant="h1" counter={items.length ? `(${items.length}${query.hasNextPage ? "+" : ""})` : undefined} actions={<SpaceBetween direction="horizontal" size="xs">{actions}<CopyCall call={call} /></SpaceBetween>}>
            {title}
          </Header>
        }
        filter={
          <TextFilter
            filteringText={typed}
            filteringPlaceholder="Name contains"
            filteringAriaLabel={`Find ${title.toLowerCase()} by name`}
            onChange={({ detail }) => setTyped(detail.filteringText)}
            onDelayedChange={({ detail }) => setFilter(detail.filteringText)}
          />
        }
        footer={query.hasNextPage && <Box textAlign="center"><Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show more</Button></Box>}
        empty={<Box textAlign="center" padding="l">{filter ? "Nothing has that in its name." : empty}</Box>}
      />
    </SpaceBetween>
  );
}
