import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblem } from '../../problems/api-problem.decorator.js';
import type { TenantPrincipal } from '../../tenancy/domain/principal.js';
import { CurrentPrincipal, Roles } from '../../tenancy/guards/access.decorators.js';
import { EventStream } from './event-stream.js';
import { LiveHub, STREAMS_PER_BEARER_MAX, STREAMS_PER_TENANT_MAX } from './live-hub.js';
import { LiveEventDto, LiveQueryDto } from './live.dto.js';
import { parseLastEventId } from './live.wire.js';

@ApiTags('sync')
@Controller('sync')
export class LiveController {
  constructor(private readonly hub: LiveHub) {}

  @Get('events')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({
    summary: 'Be told when there is something to pull',
    description:
      'Server-sent events: one at once, unless `Last-Event-ID` is where the clock stands, and one soon after each commit of ' +
      'the business; of several in a row perhaps only the last. `data` is a LiveEventDto, `id` its `server_lamport`. An event ' +
      'has no entries: pull. A comment comes every 15 seconds; a client that hears nothing for 45 should connect again. ' +
      'The stream ends when the service stops (connect again), and when token, device or tenant are no longer let in: then ' +
      'the last event is `closed`, with the `code` that a request would get. ' +
      `A process keeps at most ${STREAMS_PER_TENANT_MAX} streams of a tenant open, ${STREAMS_PER_BEARER_MAX} of one device or person. Browsers’ EventSource sends no ` +
      'Authorization: read the stream with fetch.',
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: '`id` of the last event received. Anything but a lamport counts as none.',
    schema: { type: 'string' },
  })
  @ApiExtraModels(LiveEventDto)
  @ApiOkResponse({
    description: 'The stream.',
    content: {
      'text/event-stream': {
        schema: { type: 'string' },
        example:
          'retry: 2713\n\nid: 43\ndata: {"server_lamport":43,"epoch":"6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55"}\n\n: keep-alive\n\n',
      },
    },
  })
  @ApiProblem('TOO_MANY_STREAMS')
  async events(
    @CurrentPrincipal() principal: TenantPrincipal,
    @Query() query: LiveQueryDto,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const lastLamport = parseLastEventId(request.headers['last-event-id']);
    await this.hub.open(
      { principal, lastLamport },
      () => new EventStream(reply, { eventsMax: query.limit ?? undefined }),
    );
  }
}
