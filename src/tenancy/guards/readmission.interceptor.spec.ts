import { describe, expect, it } from '@jest/globals';
import type { ExecutionContext } from '@nestjs/common';
import { lastValueFrom, of, throwError } from 'rxjs';
import { ProblemError } from '../../problems/problem.js';
import type { AccessService } from '../access.service.js';
import { ReadmissionInterceptor } from './readmission.interceptor.js';

const PRINCIPAL = { role: 'device', userId: 'u', tenantId: 't', deviceId: 'd' };
const CONTEXT = { switchToHttp: () => ({ getRequest: () => ({ principal: PRINCIPAL }) }) } as ExecutionContext;

describe('ReadmissionInterceptor', () => {
  const invalid = new ProblemError('VALIDATION');
  const lost = new Error('Connection terminated unexpectedly');
  /** What is told in the end when `failure` was thrown, and how often it was asked whether its bearer may enter. */
  async function told(failure: Error, verdict: () => Promise<void>): Promise<[unknown, number]> {
    let asked = 0;
    const admit = (): Promise<void> => {
      asked += 1;
      return verdict();
    };
    const interceptor = new ReadmissionInterceptor({ admit } as unknown as AccessService);
    const answer = lastValueFrom(interceptor.intercept(CONTEXT, { handle: () => throwError(() => failure) }));
    return [await answer.catch((error: unknown) => error), asked];
  }

  it('tells what went wrong to those who may enter', async () => {
    expect(await told(invalid, () => Promise.resolve())).toEqual([invalid, 1]);
  });

  it.each([
    ['who may not', new ProblemError('DEVICE_REVOKED')],
    ['of whom nobody can tell', lost],
  ])('tells nothing of it to those %s', async (_, reason) => {
    expect(await told(invalid, () => Promise.reject(reason))).toEqual([reason, 1]);
  });

  it('asks nothing of a database that was out of reach', async () => {
    expect(await told(lost, () => Promise.resolve())).toEqual([lost, 0]);
  });

  it('asks nothing when all went well', async () => {
    const interceptor = new ReadmissionInterceptor({} as AccessService);
    expect(await lastValueFrom(interceptor.intercept(CONTEXT, { handle: () => of('done') }))).toBe('done');
  });
});
