/** The completion scripts: each asks `mav __complete`, and gives the shell what comes back without evaluating any of it. */

export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

type Shell = (typeof SHELLS)[number];

/** No `mapfile` and no `compopt` is needed: macOS has bash 3.2. */
const BASH = `# Completion of mav for bash.
_mav() {
    local candidate files=
    COMPREPLY=()
    while IFS= read -r candidate; do
        if [[ $candidate == $'\\t'* ]]; then files=1; else COMPREPLY+=("$candidate"); fi
    done < <(command mav __complete bash "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    # Without candidates readline completes names of files; it must not where those make no sense.
    [[ -n $files ]] || compopt +o default 2>/dev/null
}
complete -o default -F _mav mav
`;

const ZSH = `#compdef mav
# Completion of mav for zsh.
_mav() {
    local line files=
    local -a values displays
    while IFS= read -r line; do
        if [[ $line == $'\\t'* ]]; then files=1; continue; fi
        values+=("\${line%%$'\\t'*}")
        displays+=("\${line/$'\\t'/  -- }")
    done < <(command mav __complete zsh "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)
    (( $#values )) && compadd -l -d displays -a values
    [[ -n $files ]] && { compset -P 1 '--*='; _files }
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _mav "$@"; else compdef _mav mav; fi
`;

const FISH = `# Completion of mav for fish.
function __mav_complete
    # The first way is that of fish 4.
    set -l words (commandline -xpc 2>/dev/null; or commandline -opc)
    set -l current (commandline -ct)
    for line in (command mav __complete fish $words[2..] "$current" 2>/dev/null)
        if string match -q \\t'*' -- $line
            __fish_complete_path "$current"
        else
            printf '%s\\n' $line
        end
    end
end
complete -c mav -f -a '(__mav_complete)'
`;

const POWERSHELL = `# Completion of mav for PowerShell.
Register-ArgumentCompleter -Native -CommandName mav -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($null -ne $_.Value) { "$($_.Value)" } else { $_.Extent.Text } })
    $current = "$wordToComplete".Trim("'", '"')
    mav __complete powershell @words ".$current" 2>$null | ForEach-Object {
        $value, $description = $_ -split [char]9, 2
        if ($value -ne '') {
            $tip = if ($description) { $description } else { $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $tip)
        }
    }
}
`;

export const scripts: Readonly<Record<Shell, string>> = {
  bash: BASH,
  zsh: ZSH,
  fish: FISH,
  powershell: POWERSHELL,
};
