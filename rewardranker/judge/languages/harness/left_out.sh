# Writes the names that everything.hpp declares in the global namespace or in std, or defines as macros, and usual.hpp
# does not. Arguments: the compiler's command. A program that has none of them (and compiles) is the same with either.
export LC_ALL=C
words() { grep -oE '[A-Za-z_][A-Za-z0-9_]*' | grep -v '^_' | sort -u; }
undeclared() {
    { echo "#include \"$1\"" && sed 's/.*/using std::&;\nusing ::&;/' words; } |
        "${compiler[@]}" -fsyntax-only -fmax-errors=0 -x c++ - 2>&1 |
        grep -oE "'\w+' has not been declared in '[a-z:]+'" | sort -u
}
macros() { "${compiler[@]}" -E -dM -x c++ "judge/$1" | cut -d' ' -f2 | cut -d'(' -f1 | words; }
compiler=("$@" -I judge)
"${compiler[@]}" -E -P -x c++ judge/everything.hpp | words > words
{
    comm -23 <(undeclared usual.hpp) <(undeclared everything.hpp) | cut -d"'" -f2
    comm -13 <(macros usual.hpp) <(macros everything.hpp)
} | sort -u
