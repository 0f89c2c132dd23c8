import { Injectable, type PipeTransform } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { ProblemError } from '../problems/problem.js';

/** For ids in paths: lower case, or VALIDATION. */
@Injectable()
export class UuidPipe implements PipeTransform<string, string> {
  transform(input: string): string {
    if (isUUID(input, 'loose')) return input.toLowerCase();
    throw new ProblemError('VALIDATION', { errors: [{ path: 'id', code: 'IS_UUID', message: 'must be a UUID' }] });
  }
}
