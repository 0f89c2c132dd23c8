import { expect } from '@jest/globals';
import { PROBLEMS, type ProblemCode, problemType } from '../../src/problems/problem.js';
import type { Answer } from './service.js';

/** That `answer` is the RFC 9457 problem of this code, whole, and tells nothing of the inside. */
export function expectProblem(answer: Answer, code: ProblemCode): void {
  const { status, title } = PROBLEMS[code];
  expect({ status: answer.status, body: answer.body }).toMatchObject({
    status,
    body: { type: problemType(code), title, status, code },
  });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json(;|$)/);
  expect(answer.body.instance).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  expect(answer.body.instance).toBe(`urn:uuid:${answer.headers.get('x-request-id') ?? ''}`);
  expect(JSON.stringify(answer.body)).not.toMatch(/stack|node_modules|\.ts:|\.js:|SELECT|INSERT|query/);
}
