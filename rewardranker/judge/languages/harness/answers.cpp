// The result stream of a program that answers calls.
#include "answers.hpp"

#include "values.cpp"

namespace judge_values {

namespace {

const char* nonce = "";
unsigned number = 0;

struct Line : Text {
    explicit Line(const char* kind) { put("[\""), put(nonce), put("\","), Text::number(judge_values::number++), put(','), put(kind); }
    void send() {
        put("]\n");
        for (unsigned long sent = 0; sent < size;) {
            long more = judge_write(3, data + sent, size - sent);
            if (more <= 0) return;  // nobody reads
            sent += static_cast<unsigned long>(more);
        }
    }
};

void failed(const char* name, const char* what) {
    Line line("\"error\",\"");
    line.quote(name), line.put("\",\""), line.quote(what), line.put('"');
    line.send();
}

void answered(Answer& answer) {
    if (answer.opaque) {
        Line line("\"opaque\",\"a value of type ");
        line.quote(answer.opaque), line.put('"');
        return line.send();
    }
    answer.values.put('\0');
    Line line("\"value\",[");
    line.put(answer.values.data), line.put(']');
    line.send();
}

}  // namespace

void Answer::add(const Text& types, const Text& data) {
    if (values.size) values.put(',');
    values.put('"');
    for (unsigned long i = 0; i < types.size; ++i) values.put(types.data[i]);
    values.put(';');
    for (unsigned long i = 0; i < data.size; ++i) values.put(data.data[i]);
    values.put('"');
    if (data.opaque) opaque = data.opaque;
}

int answer_all(const char* run, const Call* calls, unsigned long count) {
    nonce = run;
    Line("\"begun\"").send();
    Line("\"ready\"").send();
    for (unsigned long i = 0; i < count; ++i) {
        try {
            Answer answer;
            calls[i](answer);
            answered(answer);
        } catch (const std::exception& error) {
            failed("std::exception", error.what());
        } catch (...) {
            failed("exception", "not an exception of the standard library's kind");
        }
    }
    Line("\"done\"").send();
    judge_exit(0);
    return 0;
}

}  // namespace judge_values
