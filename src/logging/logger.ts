import type { LoggerService } from '@nestjs/common';
import { type Logger as PinoLogger, pino, stdSerializers } from 'pino';
import type { LogLevel } from '../config/environment.js';

/** What Nest says while it wires modules and routes: of interest only when that goes wrong. */
const WIRING_CONTEXTS = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
]);

/** One line of JSON an event on standard output, or readable lines when a person watches. */
export function createLogger(level: LogLevel, isTerminal: boolean): PinoLogger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // A second wall: nothing logs headers, bodies or URLs of connections, and should something ever, these are cut out.
    redact: ['*.authorization', '*.token', '*.password', '*.secret', 'authorization', 'token', 'password', 'secret'],
    serializers: { err: serializeError },
    ...(isTerminal && {
      transport: { target: 'pino-pretty', options: { translateTime: 'SYS:HH:MM:ss', singleLine: true } },
    }),
  });
}

/** Type, message, stack and SQLSTATE: a driver error's `parameters` hold what tenants wrote, and stay out of the log. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = stdSerializers.err(error);
  const code = 'code' in error ? error.code : undefined;
  return {
    type,
    message,
    stack,
    ...(code !== undefined && { code }),
    ...(error.cause !== undefined && { cause: serializeError(error.cause) }),
  };
}

/** Nest's log calls, written by pino. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: PinoLogger) {}

  log(message: unknown, ...rest: unknown[]): void {
    const context = rest.at(-1);
    this.write(typeof context === 'string' && WIRING_CONTEXTS.has(context) ? 'debug' : 'info', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest passes (message, ...details, context): objects become fields, the text becomes `msg`. */
  private write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    rest: unknown[],
  ): void {
    const texts = rest.filter((part): part is string => typeof part === 'string');
    const context = texts.pop();
    const text = typeof message === 'string' ? message : texts.shift();
    const fields = message instanceof Error ? { err: message } : typeof message === 'object' ? message : {};
    this.logger[level](
      { context, ...fields, ...(level === 'error' && texts[0] !== undefined && { stack: texts[0] }) },
      text,
    );
  }
}
