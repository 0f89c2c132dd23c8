import type { ConflictDetailDto } from '../../src/conflicts/conflict.dto.js';
import type { StockEventDto } from '../../src/inventory/inventory.dto.js';
import type { PushResultDto } from '../../src/sync/push/push.dto.js';
import { cell, type Colour, type Paint, WIDTH, wrapped } from './screen.js';

const COLOUR_OF: Readonly<Record<string, Colour>> = { accepted: 'green', conflict: 'yellow', rejected: 'red' };
const METHODS: Readonly<Record<string, string>> = {
  HARDCODED: 'by a rule, in the push',
  HEURISTIC: 'by the heuristics, in a worker',
  MANUAL: 'by a person',
};

/** Tells the story on a terminal, in words for the shop's people: devices are called by their names. */
export class Narrator {
  private readonly names = new Map<string, string>();
  private isAfterGap = false;

  constructor(
    private readonly print: (line: string) => void,
    private readonly paint: Paint,
  ) {}

  /** From now on the device is called this. */
  call(deviceId: string, name: string): void {
    this.names.set(deviceId, name);
  }

  heading(text: string): void {
    const line = '─'.repeat(Math.max(0, WIDTH - text.length - 4));
    this.gap();
    this.write(`${this.paint('cyan', '──')} ${this.paint('bold', text)} ${this.paint('cyan', line)}`);
    this.gap();
  }

  say(text: string): void {
    this.tell('', text);
  }

  /** As it is, to be copied. */
  verbatim(text: string): void {
    this.gap();
    for (const line of text.split('\n')) this.write(this.paint('cyan', line));
    this.gap();
  }

  /** Somebody does something, at a time or when back online. */
  deed(when: string, text: string): void {
    this.tell(`  ${cell(when, 6)} `, text);
  }

  /** What became of an operation that was pushed. */
  answer({ status, resolution, message, warnings = [] }: PushResultDto): void {
    const colour = COLOUR_OF[status];
    const word = colour ? this.paint(colour, status) : status;
    const told = [message, ...(status === 'accepted' && resolution ? [resolution.reason] : [])].join(' ');
    this.tell(`         → ${word}: `, this.named(told));
    for (const warning of warnings) this.tell('           ', this.paint('dim', `warning ${warning}`));
  }

  /**
   * Part of the product's ledger, with the running stock.
   * @param events all of them
   * @param from the first to be told of
   */
  ledger(events: readonly StockEventDto[], from: number): void {
    const all = new Map(events.map((event) => [event.operation_id, event]));
    this.gap();
    this.write(this.paint('dim', `  ${row('lamport', 'who', "the product's ledger", 'effect', 'stock')}`));
    for (const event of events.slice(from)) {
      const { lamport_ts: lamport, effect, stock_after: stock } = event;
      const who = event.device_type === 'SERVER' ? 'server' : this.nameOf(event.device_id);
      const moved = this.paint(effect > 0 ? 'green' : effect < 0 ? 'red' : 'dim', signed(effect));
      this.write(`  ${row(String(lamport), who, this.happened(event, all), moved, inUnits(stock))}`);
    }
    this.gap();
  }

  /** What the conflict log says, with the trail of who was asked. */
  conflict(conflict: ConflictDetailDto): void {
    const { kind, resolution_method: method } = conflict;
    const state =
      method === null
        ? this.paint('yellow', 'waits for a person')
        : this.paint('green', `settled ${METHODS[method] ?? method}`);
    this.tell('  conflict log  ', `${this.paint('bold', kind)}: ${state}${sureness(conflict)}`);
    for (const line of this.argumentsOf(conflict)) this.tell('                ', line);
  }

  private argumentsOf({
    resolution_reason: reason,
    user_feedback: feedback,
    suggestion,
    decisions,
  }: ConflictDetailDto): string[] {
    const lines = reason === null ? [] : [this.named(reason)];
    if (feedback !== null) lines.push(`"${feedback}"`);
    if (reason === null && suggestion) {
      const { verdict, confidence, reason: because } = suggestion;
      lines.push(`Suggestion ${verdict}, confidence ${confidence}: ${this.named(because)}`);
    }
    const answers = decisions.flatMap(({ name, verdict, confidence }) =>
      verdict === null ? [] : [`${this.named(name)} → ${verdict} (${confidence})`],
    );
    const trail = `${decisions.length} asked, ${answers.length} with an answer: ${answers.join(', ')}`;
    return [...lines, this.paint('dim', trail)];
  }

  private happened(event: StockEventDto, all: ReadonlyMap<string, StockEventDto>): string {
    const { operation, reason, delta, payment_status: payment, disposition, ref_operation_id: ref } = event;
    const named = ref === null ? undefined : all.get(ref);
    const about = named ? `${this.nameOf(named.device_id)}'s ${nounOf(named)} of ${named.delta}` : 'an operation';
    switch (operation) {
      case 'RELEASE':
        return `RELEASE: ${about} takes effect`;
      case 'VOID':
        return named?.disposition === 'HELD' ? `VOID: ${about} is refused` : `VOID: ${about} is taken back`;
      default: {
        const paid = payment === null ? '' : payment === 'PAID' ? ', paid' : ', not paid';
        const stands = disposition === 'APPLIED' ? '' : `: ${disposition}`;
        return `${operation} ${delta} (${reason.toLowerCase()}${paid})${stands}`;
      }
    }
  }

  /** An empty line, if there is none already. */
  gap(): void {
    if (!this.isAfterGap) this.write('');
  }

  private write(line: string): void {
    this.print(line);
    this.isAfterGap = line === '';
  }

  private tell(first: string, text: string): void {
    for (const line of wrapped(first, text)) this.write(line);
  }

  /** Without the ids of devices. */
  private named(text: string): string {
    return [...this.names].reduce(
      (told, [id, name]) => told.replaceAll(`device ${id}`, name).replaceAll(id, name),
      text,
    );
  }

  private nameOf(deviceId: string): string {
    return this.names.get(deviceId) ?? deviceId.slice(0, 8);
  }
}

export function signed(units: number): string {
  return units < 0 ? inUnits(units) : `+${units}`;
}

/** With a minus sign as people write it. */
export function inUnits(units: number): string {
  return units < 0 ? `−${-units}` : String(units);
}

function row(lamport: string, who: string, what: string, effect: string, stock: string): string {
  return [
    cell(lamport, 7, 'right'),
    cell(who, 6),
    cell(what, 60),
    cell(effect, 7, 'right'),
    cell(stock, 7, 'right'),
  ].join('  ');
}

function nounOf({ operation, reason }: StockEventDto): string {
  return operation === 'SET' ? 'count' : reason.toLowerCase();
}

function sureness({ confidence }: ConflictDetailDto): string {
  return confidence === null ? '' : `, confidence ${confidence}`;
}
