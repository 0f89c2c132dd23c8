import http from 'node:http';
import { performance } from 'node:perf_hooks';
import { BenchmarkError } from './environment.js';

const ANSWER_TIMEOUT_MS = 60_000;

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** From before the first byte was sent until the last one was received. */
  readonly durationMs: number;
}

/**
 * The connection that one device keeps open and sends one body after another to one route on. node:http rather than
 * fetch, and bytes in and out, so that the load takes as little as it can of the processor it shares with the service.
 */
export class Connection {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  private readonly endpoint: URL;

  constructor(
    serviceUrl: string,
    private readonly route: string,
    private readonly token: string,
  ) {
    this.endpoint = new URL(route, serviceUrl);
  }

  /**
   * @param token if it isn't the connection's own device that sends
   * @throws BenchmarkError if there is no answer.
   */
  post(body: Buffer, token = this.token): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const startedMs = performance.now();
      const fail = (cause: Error): void => {
        reject(new BenchmarkError(`POST ${this.route} got no answer: ${cause.message}`, { cause }));
      };
      const request = http.request(
        this.endpoint,
        {
          method: 'POST',
          agent: this.agent,
          timeout: ANSWER_TIMEOUT_MS,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'content-length': body.length,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', fail);
          response.on('end', () => {
            const durationMs = performance.now() - startedMs;
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), durationMs });
          });
        },
      );
      request.on('timeout', () => request.destroy(new Error(`nothing within ${ANSWER_TIMEOUT_MS} ms`)));
      request.on('error', fail);
      request.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
