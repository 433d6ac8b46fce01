import { startRedisCluster } from "../builders/redis-cluster.ts";
import { startRedis } from "../builders/redis-server.ts";
import { describeStore } from "./describe-store.ts";
import { openRedis, openRedisCluster } from "./open-redis.ts";

describeStore("RedisStore over one server", { compareAndSet: true }, async () => {
  const server = await startRedis();
  const opened = await openRedis(server.url);
  return { ...opened, close: () => opened.close().then(() => server.stop()) };
});

describeStore("RedisStore over a Cluster of three", { compareAndSet: true }, async () => {
  const cluster = await startRedisCluster();
  const opened = await openRedisCluster(cluster.nodes);
  return { ...opened, close: () => opened.close().then(() => cluster.stop()) };
});
