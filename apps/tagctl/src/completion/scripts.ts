import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import type { CommandModel } from './model.ts';
import type { Shell } from './shells.ts';
import { zshScript } from './zsh.ts';

export function completionScript(shell: Shell, model: CommandModel): string {
  switch (shell) {
    case 'bash':
      return bashScript(model);
    case 'zsh':
      return zshScript(model);
    case 'fish':
      return fishScript(model);
  }
}
