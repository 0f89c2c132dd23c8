import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import { CurrentActor } from './audit/current-actor.js';
import type { Acting } from './audit/domain/actor.js';
import type { PersonPrincipal } from './domain/principal.js';
import { CurrentPrincipal, Roles } from './guards/access.decorators.js';
import { SettingsChangeDto, SettingsDto } from './settings.dto.js';
import { SettingsService } from './settings.service.js';
import { toSettingsChange, toSettingsWire } from './settings.wire.js';

@ApiTags('settings')
@Controller('settings')
export class SettingsController {
  constructor(private readonly settings: SettingsService) {}

  @Get()
  @Roles('staff', 'admin')
  @ApiOperation({
    summary: 'Show the settings of the business',
    description: 'All of them: what nobody has chosen yet has its default.',
  })
  @ApiOkResponse({ type: SettingsDto })
  async get(@CurrentPrincipal() person: PersonPrincipal): Promise<SettingsDto> {
    return toSettingsWire(await this.settings.get(person.tenantId));
  }

  @Patch()
  @Roles('admin')
  @ApiOperation({
    summary: 'Change settings of the business',
    description:
      'Send only what is to change: the rest stays, also if somebody else changes it at the same moment. The answer has ' +
      'all settings as they are now. Takes effect at once, in every process.',
  })
  @ApiOkResponse({ type: SettingsDto })
  @ApiProblem('MALFORMED_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE')
  async change(@CurrentActor() admin: Acting<PersonPrincipal>, @Body() body: SettingsChangeDto): Promise<SettingsDto> {
    return toSettingsWire(await this.settings.change(admin, toSettingsChange(body)));
  }
}
