// The part of writing values that no type decides.
#include "values.hpp"

#include <cstdlib>

namespace judge_values {

Text::~Text() { std::free(data); }
void Text::put(char character) {
    if (size == room) {
        room = room ? 2 * room : 256;
        data = static_cast<char*>(std::realloc(data, room));
        if (data == nullptr) std::abort();
    }
    data[size++] = character;
}
void Text::put(const char* more) {
    while (*more) put(*more++);
}
void Text::number(unsigned long long value) {
    if (value > 9) number(value / 10);
    put(static_cast<char>('0' + value % 10));
}
void Text::integer(long long value) {
    if (value < 0) put('-');
    number(value < 0 ? 0 - static_cast<unsigned long long>(value) : static_cast<unsigned long long>(value));
}
void Text::token(long long value) { integer(value), put(' '); }
void Text::count(unsigned long long value) { number(value), put(' '); }
void Text::characters(const char* text, unsigned long length) {
    put('s');
    for (unsigned long i = 0; i < length; ++i) {
        put("0123456789abcdef"[static_cast<unsigned char>(text[i]) >> 4]);
        put("0123456789abcdef"[static_cast<unsigned char>(text[i]) & 15]);
    }
    put(' ');
}
void Text::quote(const char* more) {
    for (unsigned length = 0; *more && length < 200; ++length, ++more) {
        if (*more == '"' || *more == '\\') put('\\');
        put(*more >= ' ' && *more <= '~' ? *more : '?');
    }
}

}  // namespace judge_values
