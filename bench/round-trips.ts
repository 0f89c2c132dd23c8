import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import type { BenchmarkEnvironment } from './environment.js';

/**
 * So long an answer is held: what the service sends side by side has all gone out before it hears of the first, as over
 * a network.
 */
const HELD_MS = 5;

/** Stands between a service and its database, hands every byte on, and counts how often the service waits for an answer. */
export class RoundTripCounter {
  private trips = 0;

  /**
   * Runs `work` with a second service, whose database is reached through the counter: what counts takes time, and so
   * nothing is timed there.
   */
  static async beside<T>(
    environment: BenchmarkEnvironment,
    work: (serviceUrl: string, counter: RoundTripCounter) => Promise<T>,
  ): Promise<T> {
    const counter = new RoundTripCounter();
    const database = new URL(environment.databaseUrl);
    const sockets = new Set<Socket>();
    const server = createServer((service) => {
      const postgres = createConnection(Number(database.port), database.hostname);
      for (const socket of [service, postgres]) {
        sockets.add(socket.setNoDelay());
        socket.on('error', () => undefined); // the other end is told by the close that follows
      }
      counter.relay(service, postgres);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const relayed = new URL(environment.databaseUrl);
      relayed.hostname = '127.0.0.1';
      relayed.port = String((server.address() as AddressInfo).port);
      return await environment.withSecondService(relayed.href, (url) => work(url, counter));
    } finally {
      server.close();
      for (const socket of sockets) socket.destroy();
    }
  }

  /** Since the last call. */
  take(): number {
    const taken = this.trips;
    this.trips = 0;
    return taken;
  }

  /** Whatever is sent before anything is answered, one statement or ten in a pipeline, is one trip. */
  private relay(service: Socket, postgres: Socket): void {
    let waits = false;
    service.on('data', (bytes) => {
      if (!waits) this.trips += 1;
      waits = true;
      postgres.write(bytes);
    });
    postgres.on('data', (bytes) => {
      setTimeout(() => {
        waits = false;
        service.write(bytes);
      }, HELD_MS);
    });
    service.on('close', () => postgres.destroy());
    postgres.on('close', () => service.destroy());
  }
}
