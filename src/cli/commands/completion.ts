// dagger-worker completion: the script by which a shell completes what is typed after `dagger-worker`.
import { Argument, type Command } from 'commander'
import { bashScript } from '../completion/bash.ts'
import { fishScript } from '../completion/fish.ts'
import { zshScript } from '../completion/zsh.ts'
import type { Surroundings } from '../surroundings.ts'

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

export function addCompletion(program: Command, { stdout }: Surroundings): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'for which shell').choices(Object.keys(scripts)))
    .summary('complete commands in a shell')
    .description('Prints a script with which a shell completes commands, options and their values.')
    .addHelpText(
      'after',
      `
For every shell that is opened, put one of these where it is set up:
  ~/.bashrc                    source <(dagger-worker completion bash)
  ~/.zshrc, after compinit     source <(dagger-worker completion zsh)
  ~/.config/fish/config.fish   dagger-worker completion fish | source

Example:
  source <(dagger-worker completion bash)`,
    )
    .action(async (shell: keyof typeof scripts) => {
      const { typedCommands } = await import('../completion/grammar.ts')
      stdout.write(scripts[shell](typedCommands(program)))
    })
}
