import { Body, Controller, Get, HttpCode, Param, Post, Query, Res, type StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiParam, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Downloads } from '../downloads/downloads.js';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import { CurrentActor } from '../tenancy/audit/current-actor.js';
import type { Acting } from '../tenancy/audit/domain/actor.js';
import type { PersonPrincipal, TenantPrincipal } from '../tenancy/domain/principal.js';
import { CurrentPrincipal, Roles } from '../tenancy/guards/access.decorators.js';
import { UuidPipe } from '../wire/uuid.pipe.js';
import { ConflictExportFormatDto } from './conflict-export.dto.js';
import { ConflictExportService } from './conflict-export.service.js';
import { CSV_HEADER, exportFile } from './conflict-export.wire.js';
import { ConflictStatsDto } from './conflict-stats.dto.js';
import { toConflictStatsWire } from './conflict-stats.wire.js';
import {
  ConflictDetailDto,
  ConflictFilterDto,
  ConflictListDto,
  ConflictPageDto,
  DetectionSpanDto,
  LabelledConflictDto,
} from './conflict.dto.js';
import { toConflictDetailWire, toConflictFilter, toConflictListWire, toDetectionSpan } from './conflict.wire.js';
import { ConflictsService } from './conflicts.service.js';
import { ManualResolutionService } from './manual-resolution.service.js';
import { ResolutionResultsDto, ResolveDto, ResolveManyDto } from './resolution.dto.js';
import { toResolutionEntries, toResolutionOrder, toResolutionResults } from './resolution.wire.js';

@ApiTags('conflicts')
@Controller('sync/conflicts')
export class ConflictsController {
  constructor(
    private readonly conflicts: ConflictsService,
    private readonly resolutions: ManualResolutionService,
    private readonly exports: ConflictExportService,
    private readonly downloads: Downloads,
  ) {}

  @Get()
  @Roles('device', 'staff', 'admin')
  @ApiOperation({
    summary: 'The conflict log',
    description: 'Entries that competed, both sides in full, and how it was settled. The newest first, in pages.',
  })
  @ApiOkResponse({ type: ConflictListDto })
  async list(
    @CurrentPrincipal() principal: TenantPrincipal,
    @Query() filter: ConflictFilterDto,
    @Query() span: DetectionSpanDto,
    @Query() { cursor, limit }: ConflictPageDto,
  ): Promise<ConflictListDto> {
    const wanted = toConflictFilter(filter, span);
    return toConflictListWire(await this.conflicts.list(principal.tenantId, wanted, cursor ?? null, limit ?? 100));
  }

  @Get('export')
  @Roles('staff', 'admin')
  @ApiOperation({
    summary: 'The conflict log as a file',
    description:
      'All conflicts that pass the filter, as they are at one instant, the newest first, with the names of their devices ' +
      'and all who were asked. CSV is that of RFC 4180, in UTF-8, with payloads as JSON; a text that a spreadsheet would ' +
      'take for a formula has an apostrophe before it. A file that breaks off is no whole one: ask for it again.',
  })
  @ApiExtraModels(LabelledConflictDto)
  @ApiOkResponse({
    description: 'The file, as `format` says.',
    content: {
      'application/x-ndjson': { schema: { $ref: getSchemaPath(LabelledConflictDto) } },
      'text/csv': { schema: { type: 'string', example: CSV_HEADER } },
    },
  })
  @ApiProblem('TOO_MANY_STREAMS')
  async export(
    @CurrentActor() person: Acting<PersonPrincipal>,
    @Query() { format }: ConflictExportFormatDto,
    @Query() filter: ConflictFilterDto,
    @Query() span: DetectionSpanDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const wanted = toConflictFilter(filter, span);
    const file = exportFile(format ?? 'csv', new Date());
    return this.downloads.send(reply, file, person.tenantId, (receiver) => this.exports.send(person, wanted, receiver));
  }

  @Get('stats')
  @Roles('staff', 'admin')
  @ApiOperation({
    summary: 'What the conflict log comes to',
    description: 'How many there were, who settled them and how soon, and how good the suggestions were.',
  })
  @ApiOkResponse({ type: ConflictStatsDto })
  async stats(@CurrentPrincipal() person: PersonPrincipal, @Query() span: DetectionSpanDto): Promise<ConflictStatsDto> {
    return toConflictStatsWire(await this.conflicts.stats(person.tenantId, toDetectionSpan(span)));
  }

  @Get(':id')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({ summary: 'One entry of the conflict log', description: 'With all who were asked about it.' })
  @ApiParam({ name: 'id', format: 'uuid', description: 'As the log or a push names it.' })
  @ApiOkResponse({ type: ConflictDetailDto })
  @ApiProblem('NOT_FOUND')
  async get(
    @CurrentPrincipal() principal: TenantPrincipal,
    @Param('id', UuidPipe) id: string,
  ): Promise<ConflictDetailDto> {
    return toConflictDetailWire(await this.conflicts.get(principal.tenantId, id));
  }

  @Post(':id/resolve')
  @HttpCode(200)
  @Roles('staff', 'admin')
  @ApiOperation({
    summary: 'Settle a conflict',
    description:
      'Says which side stands, or that both or neither do. Stock follows at once, devices learn of it by their next pull. ' +
      'The same decision again changes nothing; another one is refused.',
  })
  @ApiParam({ name: 'id', format: 'uuid', description: 'As the log or a push names it.' })
  @ApiOkResponse({ type: ConflictDetailDto })
  @ApiProblem('NOT_FOUND', 'ALREADY_RESOLVED', 'RESOLUTION_OVERTAKEN')
  @ApiProblem('MALFORMED_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE')
  async resolve(
    @CurrentPrincipal() person: PersonPrincipal,
    @Param('id', UuidPipe) id: string,
    @Body() body: ResolveDto,
  ): Promise<ConflictDetailDto> {
    return toConflictDetailWire(await this.resolutions.resolve(person, id, toResolutionOrder(body)));
  }

  @Post('resolve')
  @HttpCode(200)
  @Roles('staff', 'admin')
  @ApiOperation({
    summary: 'Settle many conflicts',
    description: 'Each as if it were the only one: what is refused is told in its result, and keeps no other back.',
  })
  @ApiOkResponse({ type: ResolutionResultsDto })
  @ApiProblem('MALFORMED_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE')
  async resolveMany(
    @CurrentPrincipal() person: PersonPrincipal,
    @Body() body: ResolveManyDto,
  ): Promise<ResolutionResultsDto> {
    return toResolutionResults(await this.resolutions.resolveMany(person, toResolutionEntries(body)));
  }
}
