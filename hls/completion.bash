# SPDX-License-Identifier: Apache-2.0
# Completion of aihls in bash. Options, boards and codes are what the installed aihls says.
_aihls() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
    COMPREPLY=()
    case $before in
    --board | -b) mapfile -t COMPREPLY < <(compgen -W "all $(aihls boards 2>/dev/null | awk 'NR > 1 { print $1 }')" -- "$word") ; return ;;
    --requant) mapfile -t COMPREPLY < <(compgen -W "exact fast shift" -- "$word") ; return ;;
    --line) mapfile -t COMPREPLY < <(compgen -W "uart spi" -- "$word") ; return ;;
    --shell) mapfile -t COMPREPLY < <(compgen -W "axi uart spi" -- "$word") ; return ;;
    esac
    case $word in
    -*) # of the verb's own section of the manual
        mapfile -t COMPREPLY < <(compgen -W "$(aihls --help 2>/dev/null | awk -v v="$verb" '
            /^[A-Z]/ { here = v ~ /^(sim|run|eval|report)$/ ? index($0, "aihls " v " ") : /^COMPILING/ }
            here && match($0, /--[a-z-]+/) { print substr($0, RSTART, RLENGTH) }') --help --version" -- "$word") ;;
    *)
        [ "$COMP_CWORD" = 1 ] && mapfile -t COMPREPLY < <(compgen -W "sim run eval report boards ops explain" -- "$word")
        compopt -o default 2>/dev/null ;;
    esac
}
complete -F _aihls aihls
