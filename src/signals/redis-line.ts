import { Redis, type RedisOptions } from 'ioredis';
import {
  HEARTBEAT_MS,
  LINE_TIMEOUT_MS,
  retryDelayMs,
  SIGNAL_CHANNEL,
  type SignalLine,
  type SignalLineUser,
} from './signal-line.js';

const OPTIONS: RedisOptions = {
  // A signal of a minute ago is worth nothing: what can't be sent fails at once, and the highest lamport is sent later.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // Done here, so that it is known from when on messages are received.
  autoResubscribe: false,
  commandTimeout: LINE_TIMEOUT_MS,
  connectTimeout: LINE_TIMEOUT_MS,
  // Between asking for an end and not waiting for it any longer; ioredis sits it out even for a socket that is gone.
  disconnectTimeout: 500,
  keepAlive: HEARTBEAT_MS,
  retryStrategy: retryDelayMs,
};

/** Pub/sub of Redis on two connections, since one that is subscribed can't publish. ioredis connects them again. */
export class RedisLine implements SignalLine {
  private readonly publisher: Redis;
  private readonly subscriber: Redis | undefined;
  private readonly heartbeat: NodeJS.Timeout;
  /** Those that can be used just now; the line holds when all can. */
  private readonly usable = new Set<Redis>();
  private closed = false;

  constructor(
    redisUrl: string,
    private readonly user: SignalLineUser,
  ) {
    this.publisher = this.connect(redisUrl, () => Promise.resolve());
    const { received } = user;
    if (received) {
      const subscriber = this.connect(redisUrl, () => subscriber.subscribe(SIGNAL_CHANNEL));
      subscriber.on('message', (_channel, message) => {
        received(message);
      });
      this.subscriber = subscriber;
    }
    this.heartbeat = setInterval(() => {
      for (const connection of this.usable) connection.ping().catch(reconnect(connection));
    }, HEARTBEAT_MS).unref();
  }

  async publish(messages: readonly string[]): Promise<void> {
    await Promise.all(messages.map((message) => this.publisher.publish(SIGNAL_CHANNEL, message)));
  }

  close(): Promise<void> {
    this.closed = true;
    clearInterval(this.heartbeat);
    this.publisher.disconnect();
    this.subscriber?.disconnect();
    return Promise.resolve();
  }

  /** @param prepare what makes a connection usable, each time it has come about */
  private connect(redisUrl: string, prepare: () => Promise<unknown>): Redis {
    const connection = new Redis(redisUrl, OPTIONS);
    connection.on('ready', () => {
      prepare().then(() => {
        this.usable.add(connection);
        if (!this.closed && this.usable.size === (this.user.received ? 2 : 1)) this.user.held();
      }, reconnect(connection));
    });
    connection.on('error', (error) => {
      if (!this.closed) this.user.lost(error);
    });
    connection.on('close', () => {
      this.usable.delete(connection);
      if (!this.closed) this.user.lost(new Error('The connection was closed'));
    });
    return connection;
  }
}

/** A connection that gives no answer is given up; ioredis then makes another. */
function reconnect(connection: Redis): () => void {
  return () => {
    if (connection.status === 'ready') connection.disconnect(true);
  };
}
