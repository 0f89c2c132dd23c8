import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Registry } from 'prom-client';
import { Public } from '../tenancy/guards/access.decorators.js';
import { SharedAnswer } from './shared-answer.js';

const EXAMPLE = `# HELP agrotour_push_entries_total Entries of pushes that were committed, by what they are and what became of them.
# TYPE agrotour_push_entries_total counter
agrotour_push_entries_total{kind="operation",status="accepted"} 1204
`;

@ApiTags('health')
@Controller('metrics')
@Public()
export class MetricsController {
  /** Only by those who ask at the same time: who asks again wants to see what has changed. */
  private readonly figures = new SharedAnswer(() => this.registry.metrics(), 0);

  constructor(private readonly registry: Registry) {}

  @Get()
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  @ApiOperation({
    summary: 'Figures for Prometheus',
    description: 'Totals of the platform as this process has seen them since it started; nothing of any one tenant.',
  })
  @ApiOkResponse({
    description: 'Prometheus text format 0.0.4.',
    content: { 'text/plain': { schema: { type: 'string', example: EXAMPLE } } },
  })
  metrics(): Promise<string> {
    return this.figures.get();
  }
}
