import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { ProblemError } from '../problems/problem.js';
import { readWire } from './read-wire.js';

/** Turns bodies and queries into their wire classes, or refuses the request with VALIDATION. */
@Injectable()
export class WirePipe implements PipeTransform {
  transform(input: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if ((type !== 'body' && type !== 'query') || !isWireClass(metatype)) return input;
    // Queries are texts: the transforms make numbers of them. Bodies are taken as they are, entries unread.
    const typed: unknown = type === 'query' ? plainToInstance(metatype, input) : input;
    const reading = readWire(metatype, typed);
    if (!reading.ok) throw new ProblemError('VALIDATION', { errors: reading.errors });
    return reading.value;
  }
}

function isWireClass(metatype: ArgumentMetadata['metatype']): metatype is new () => object {
  return metatype !== undefined && ![Object, String, Number, Boolean, Array].includes(metatype as never);
}
