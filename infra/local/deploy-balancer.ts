import type { Json } from "./assembly.ts";
import type { Task } from "./ecs.ts";
import type { LoadedTemplate } from "./load.ts";
import { type ListenerSettings, Splitter, type Target } from "./load-balancer.ts";

type Fields = Readonly<Record<string, Json>>;
const fields = (value: Json | undefined): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const items = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

const PROTOCOLS: Readonly<Record<string, readonly ("tcp" | "udp")[]>> = {
  TCP: ["tcp"],
  UDP: ["udp"],
  TCP_UDP: ["tcp", "udp"],
};
const HEALTH_EVERY_MS = 2_000;

export interface Balancer {
  /** The listener's port → the port that was opened for it: its own, or another where that one is in use. */
  readonly ports: ReadonlyMap<number, number>;
  close(): Promise<void>;
}

/**
 * The listeners of the template before the tasks of its services, on 127.0.0.1. A listener whose container port is in no
 * `*_PORT` variable of the task is left out, with a word to `log`: several tasks cannot own one port of one machine.
 */
export async function deployBalancer(
  template: LoadedTemplate,
  tasks: readonly Task[],
  log: (text: string) => void,
): Promise<Balancer> {
  const health = new Map<Task, boolean>();
  const groups = new Map<string, number>();
  for (const service of template.ofType("AWS::ECS::Service"))
    for (const attached of items(service.property("LoadBalancers")))
      groups.set(String(fields(attached).TargetGroupArn), Number(fields(attached).ContainerPort));
  const splitters = new Map<number, Splitter>();
  for (const listener of template.ofType("AWS::ElasticLoadBalancingV2::Listener")) {
    const [action] = items(listener.property("DefaultActions"));
    const containerPort = groups.get(String(fields(action).TargetGroupArn));
    const protocols = PROTOCOLS[listener.text("Protocol")];
    const targets = tasks.flatMap((task): Target[] => {
      const port = containerPort === undefined ? undefined : task.settings.ports?.get(containerPort);
      if (port === undefined) return [];
      return [{ name: task.settings.name, host: "127.0.0.1", port, healthy: () => health.get(task) === true }];
    });
    if (protocols === undefined || targets.length === 0) {
      log(`listener ${listener.logicalId}: no task was told another port than ${containerPort}; it is left out\n`);
      continue;
    }
    const port = Number(listener.property("Port"));
    splitters.set(port, await opened({ host: "127.0.0.1", port, protocols, targets }));
  }
  const look = async (): Promise<void> => {
    for (const task of tasks) health.set(task, await task.healthy(Date.now() + 1));
  };
  const looking = splitters.size === 0 ? undefined : setInterval(() => void look(), HEALTH_EVERY_MS);
  if (splitters.size > 0) await look();
  return {
    ports: new Map([...splitters].map(([port, splitter]) => [port, splitter.port])),
    close: async () => {
      clearInterval(looking);
      await Promise.all([...splitters.values()].map((splitter) => splitter.close()));
    },
  };
}

/** Two deployments on one machine cannot both have a listener's port: the second takes any free one. */
async function opened(settings: ListenerSettings): Promise<Splitter> {
  const splitter = new Splitter(settings);
  try {
    await splitter.start();
    return splitter;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    await splitter.close();
    if ((code !== "EADDRINUSE" && code !== "EACCES") || settings.port === 0) throw error;
    return opened({ ...settings, port: 0 });
  }
}
