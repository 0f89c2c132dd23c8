import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { parse } from 'yaml';
import { EnvironmentError, readEnvironment } from '../../src/config/environment.js';

interface Service {
  environment: Record<string, string>;
  healthcheck: { test: unknown[] };
  depends_on?: Record<string, { condition: string }>;
}
interface Compose {
  services: Record<string, Service>;
}

/** No container engine runs these tests, so this is what can be said of the file without one. */
describe('docker-compose.yml', () => {
  const { services } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as Compose;

  it('has API, worker, PostgreSQL and Redis, each with a health check that is a list of texts', () => {
    expect(Object.keys(services).sort()).toEqual(['api', 'postgres', 'redis', 'worker']);
    for (const { healthcheck } of Object.values(services)) {
      expect(healthcheck.test.map((part) => typeof part)).toEqual(healthcheck.test.map(() => 'string'));
    }
  });

  it('checks health with a script that can be run', () => {
    const script = services['api']?.healthcheck.test.at(-1);
    expect(() => new Script(String(script))).not.toThrow();
  });

  it('waits for services that it has, and that have a health check', () => {
    for (const service of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect([condition, services[name]?.healthcheck]).toEqual(['service_healthy', expect.anything()]);
      }
    }
  });

  it.each(['api', 'worker'])(
    'gives %s an environment that the service accepts, and the role that owns nothing',
    (name) => {
      const filled = Object.fromEntries(
        Object.entries(services[name]?.environment ?? {}).map(([variable, text]) => [
          variable,
          text.replace(/\$\{(\w+):\?[^}]*\}/g, 'x'.repeat(32)).replace(/\$\{\w+:-([^}]*)\}/g, '$1'),
        ]),
      );
      try {
        expect(readEnvironment(filled)).toMatchObject({ role: name, database: { kind: 'external' } });
      } catch (error) {
        throw error instanceof EnvironmentError ? new Error(error.message) : error;
      }
      expect(new URL(filled['DATABASE_URL'] ?? '').username).toBe('agrotour_app');
    },
  );
});

describe('Dockerfile', () => {
  it('starts the service as npm start does', () => {
    const command = /^CMD (\[.*\])$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1] ?? '[]';
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
    expect((JSON.parse(command) as string[]).join(' ')).toBe(scripts.start);
  });
});
