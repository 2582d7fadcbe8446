import AppLayout from "@cloudscape-design/components/app-layout";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SideNavigation from "@cloudscape-design/components/side-navigation";
import Spinner from "@cloudscape-design/components/spinner";
import TopNavigation from "@cloudscape-design/components/top-navigation";
import { Component, lazy, type ReactNode, Suspense, useState } from "react";
import { useRoute } from "./route";
import { current, signOut } from "./session";
import { SignIn } from "./signin";
import { toggle } from "./theme";

const Home = lazy(() => import("./pages/home"));
const Jobs = lazy(() => import("./pages/jobs"));
const Job = lazy(() => import("./pages/job"));
const Reports = lazy(() => import("./pages/reports"));
const Report = lazy(() => import("./pages/report"));
const Comparison = lazy(() => import("./pages/comparison"));
const Models = lazy(() => import("./pages/models"));
const Endpoints = lazy(() => import("./pages/endpoints"));
const Endpoint = lazy(() => import("./pages/endpoint"));
const Buckets = lazy(() => import("./pages/buckets"));
const Folder = lazy(() => import("./pages/folder"));

const PLACES = [
  { type: "link" as const, text: "Home", href: "#/" },
  { type: "link" as const, text: "Jobs", href: "#/jobs/training" },
  { type: "link" as const, text: "Reports", href: "#/reports" },
  { type: "link" as const, text: "Models", href: "#/models" },
  { type: "link" as const, text: "Endpoints", href: "#/endpoints" },
  { type: "link" as const, text: "S3 browser", href: "#/s3" },
];

function page([place, first, second]: string[]): ReactNode {
  if (!place) return <Home />;
  if (place === "jobs" && (first === "training" || first === "processing")) {
    return second ? <Job kind={first} name={second} key={second} /> : <Jobs kind={first} />;
  }
  if (place === "reports" && first && second) return <Comparison first={first} second={second} key={`${first}/${second}`} />;
  if (place === "reports") return first ? <Report name={first} key={first} /> : <Reports />;
  if (place === "models") return <Models name={first} />;
  if (place === "endpoints") return first ? <Endpoint name={first} key={first} /> : <Endpoints />;
  if (place === "s3") return first ? <Folder bucket={first} prefix={second ?? ""} key={`${first}/${second}`} /> : <Buckets />;
  return <Box variant="h1">There is no such page. Choose one on the left.</Box>;
}

export function App() {
  const route = useRoute();
  const [navigation, setNavigation] = useState(innerWidth > 900);
  if (!current()) return <SignIn />;
  return (
    <>
      <div className="header" id="header">
        <TopNavigation
          identity={{ href: "#/", title: "Clary", logo: { src: "/mark.svg", alt: "Clary" } }}
          utilities={[
            { type: "button", text: "Light / dark", onClick: toggle },
            { type: "button", text: "Sign out", onClick: signOut },
          ]}
        />
      </div>
      <AppLayout
        headerSelector="#header"
        toolsHide
        navigationOpen={navigation}
        onNavigationChange={({ detail }) => setNavigation(detail.open)}
        navigation={<SideNavigation activeHref={active(route)} header={{ href: "#/", text: "Clary" }} items={PLACES} />}
        content={
          <Guard key={route.join("/")}>
            <Suspense fallback={<Spinner size="large" />}>{page(route)}</Suspense>
          </Guard>
        }
        ariaLabels={{ navigation: "Places", navigationToggle: "Open the places", navigationClose: "Close the places" }}
      />
    </>
  );
}

function active([place]: string[]): string {
  return PLACES.find((item) => item.href.split("/")[1] === (place ?? ""))?.href ?? "#/";
}

/** A page that fails says so, and leaves the others alone. */
class Guard extends Component<{ children: ReactNode }, { error?: Error }> {
  state: { error?: Error } = {};
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  render() {
    if (!this.state.error) return this.props.children;
    return (
      <Box padding="l">
        <Box variant="h2">This page could not be shown</Box>
        <Box variant="p">{this.state.error.message}</Box>
        <Button onClick={() => location.reload()}>Load it again</Button>
      </Box>
    );
  }
}
