import { ApiExtraModels, ApiProperty, ApiPropertyOptional, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { type FieldError, PROBLEMS, type ProblemCode, problemType } from './problem.js';

class FieldErrorDto implements FieldError {
  @ApiProperty({ example: 'operations[3].delta' }) path!: string;
  @ApiProperty({ example: 'IS_INT' }) code!: string;
  @ApiProperty({ example: 'must be an integer' }) message!: string;
}

/** RFC 9457 problem document: the body of every answer that is not a success. */
export class ProblemDto {
  @ApiProperty({ example: 'urn:problem-type:agrotour:validation' }) type!: string;
  @ApiProperty({ example: 'The request is not valid' }) title!: string;
  @ApiProperty({ example: 400 }) status!: number;
  @ApiProperty({ description: 'Stable; see docs/errors.md.', example: 'VALIDATION' }) code!: string;
  @ApiPropertyOptional({ description: 'For people, about this occurrence.' }) detail?: string;
  @ApiProperty({ description: 'The id of the request, as in the log.', example: 'urn:uuid:5b0c…' }) instance!: string;
  @ApiPropertyOptional({ type: [FieldErrorDto], description: 'Each field that is wrong.' }) errors?: FieldErrorDto[];
}

const DOCUMENTED = 'agrotour:problems';

/** Documents the problems a route can answer with. May be given several times: the codes add up. */
export function ApiProblem(...codes: readonly ProblemCode[]): MethodDecorator {
  return (target, key, descriptor: PropertyDescriptor) => {
    const handler = descriptor.value as object;
    const before = (Reflect.getMetadata(DOCUMENTED, handler) as readonly ProblemCode[] | undefined) ?? [];
    const all = [...new Set([...before, ...codes])];
    Reflect.defineMetadata(DOCUMENTED, all, handler);
    ApiExtraModels(ProblemDto)(target, key, descriptor);
    for (const status of new Set(all.map((code) => PROBLEMS[code].status))) {
      const ofStatus = all.filter((code) => PROBLEMS[code].status === status).sort();
      ApiResponse({
        status,
        description: ofStatus.map((code) => `**${code}**: ${PROBLEMS[code].meaning}`).join('\n\n'),
        content: {
          'application/problem+json': {
            schema: { $ref: getSchemaPath(ProblemDto) },
            examples: Object.fromEntries(ofStatus.map((code) => [code, { value: exampleOf(code) }])),
          },
        },
      })(target, key, descriptor as TypedPropertyDescriptor<unknown>);
    }
  };
}

function exampleOf(code: ProblemCode): ProblemDto {
  return {
    type: problemType(code),
    title: PROBLEMS[code].title,
    status: PROBLEMS[code].status,
    code,
    instance: 'urn:uuid:5b0c3a52-6f5e-4c4e-9a55-2f1a2f6f3d10',
    ...(code === 'VALIDATION' && {
      errors: [{ path: 'client_lamport', code: 'IS_INT', message: 'must be an integer from 0 to 9007199254740991' }],
    }),
  };
}
