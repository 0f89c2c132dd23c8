import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { OperatorPrincipal, PersonPrincipal } from '../domain/principal.js';
import { CurrentPrincipal, Roles } from '../guards/access.decorators.js';
import { AuditListDto, AuditQueryDto } from './audit.dto.js';
import { AuditService } from './audit.service.js';
import { fromAuditCursor, toAuditFilter, toAuditListWire } from './audit.wire.js';

@ApiTags('audit')
@Controller('audit')
export class AuditController {
  constructor(private readonly audits: AuditService) {}

  @Get()
  @Roles('admin', 'operator')
  @ApiOperation({
    summary: 'Who has changed what, when, and from where',
    description:
      'The newest first, in pages. An admin sees all that was done to the business, by its own people and by the platform; ' +
      'an operator sees what the platform did to each business, and nothing of what happens within one. Entries are never ' +
      'changed. What devices do is in the ledger, and who decided a conflict in the conflict log.',
  })
  @ApiOkResponse({ type: AuditListDto })
  async list(
    @CurrentPrincipal() reader: PersonPrincipal | OperatorPrincipal,
    @Query() query: AuditQueryDto,
  ): Promise<AuditListDto> {
    const before = query.cursor == null ? null : fromAuditCursor(query.cursor);
    const page = await this.audits.list(reader, toAuditFilter(query), before, query.limit ?? 100);
    return toAuditListWire(page, reader.role === 'operator');
  }
}
