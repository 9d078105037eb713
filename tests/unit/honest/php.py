"""PHP that answers rightly, in the styles that people and models write it in; and some that does not."""

from __future__ import annotations

FUNCTIONS = r"""
=== a reference in a loop
--- array(1, 2, 3) --> array(2, 4, 6)
--- array() --> array()
function f($l) { foreach ($l as &$v) { $v *= 2; } unset($v); return $l; }
=== references as parameters
--- 3, 4 --> array(4, 3)
--- "a", null --> array(null, "a")
function swap(&$a, &$b): void { [$a, $b] = [$b, $a]; }
function f($a, $b) { swap($a, $b); return [$a, $b]; }
=== a static variable
--- 3 --> 6
--- 0 --> 6
function counter(): int { static $n = 0; return ++$n; }
function f($n) { $s = 0; for ($i = 0; $i < $n; $i++) $s += counter(); static $last; return $last ??= $s; }
=== list() and nested destructuring
--- array(array(1, array(2, 3)), array(4, array(5, 6))) --> 21
--- array() --> 0
function f($rows) { $s = 0; foreach ($rows as list($a, list($b, $c))) { $s += $a + $b + $c; } return $s; }
=== destructuring by key
--- array("name" => "Ann", "age" => 3) --> "Ann:3"
--- array("age" => 0, "name" => "") --> ":0"
function f(array $p): string { ['name' => $name, 'age' => $age] = $p; return "$name:{$age}"; }
=== heredoc and nowdoc
--- "x" --> "  <x>\n\$x\nend"
--- "" --> "  <>\n\$x\nend"
function f($x) {
    $a = <<<HTML
          <{$x}>
        HTML;
    $b = <<<'TEXT'
    $x
    end
    TEXT;
    return $a . "\n" . $b;
}
=== a generator
--- 10 --> array(0, 1, 1, 2, 3, 5, 8)
--- 0 --> array(0)
function fib() { [$a, $b] = [0, 1]; while (true) { yield $a; [$a, $b] = [$b, $a + $b]; } }
function f($n) { $out = []; foreach (fib() as $v) { if ($v > $n) break; $out[] = $v; } return $out; }
=== yield from with keys
--- array(1, array(2, array(3)), 4) --> array(1, 2, 3, 4)
--- array() --> array()
function walk(array $x): Generator { foreach ($x as $v) { if (is_array($v)) yield from walk($v); else yield $v; } }
function f($x) { return iterator_to_array(walk($x), false); }
=== a generator that is sent to
--- array(1, 2, 3) --> array(1, 3, 6)
--- array(5) --> array(5)
function sums() { $s = 0; while (true) { $s += yield $s; } }
function f($l) { $g = sums(); $g->current(); return array_map(fn($v) => $g->send($v), $l); }
=== arrow functions within arrow functions
--- 2, 3 --> 8
--- 0, 5 --> 5
function f($a, $b) { $plus = fn($x) => fn($y) => $x + $y; return array_sum(array_map($plus($a), [$b])) + ($a ? 3 : 0); }
=== a closure that uses a reference
--- array(3, 1, 2) --> array(6, array(1, 2, 3))
--- array() --> array(0, array())
function f($l) {
    $total = 0;
    array_walk($l, function ($v, $k) use (&$total) { $total += $v; });
    usort($l, function ($a, $b) { return $a <=> $b; });
    return [$total, $l];
}
=== a closure that calls itself
--- 5 --> 120
--- 0 --> 1
function f($n) { $fact = function ($k) use (&$fact) { return $k < 2 ? 1 : $k * $fact($k - 1); }; return $fact($n); }
=== SplStack
--- "([]{})" --> true
--- "([)]" --> false
function f(string $s): bool {
    $stack = new SplStack();
    $pairs = [')' => '(', ']' => '[', '}' => '{'];
    foreach (str_split($s) as $c) {
        if (!isset($pairs[$c])) { $stack->push($c); continue; }
        if ($stack->isEmpty() || $stack->pop() !== $pairs[$c]) return false;
    }
    return $stack->isEmpty();
}
=== SplPriorityQueue and SplObjectStorage
--- array(5, 1, 4) --> array(1, 4, 5)
--- array() --> array()
function f($l) {
    $q = new SplPriorityQueue(); $seen = new SplObjectStorage();
    foreach ($l as $v) { $o = (object) ['v' => $v]; $seen[$o] = $v; $q->insert($o, -$v); }
    $out = [];
    while (!$q->isEmpty()) $out[] = $seen[$q->extract()];
    return $out;
}
=== SplFixedArray and SplMinHeap
--- array(3, 2, 1) --> array(1, 2, 3)
--- array() --> array()
function f($l) { $h = new SplMinHeap; foreach ($l as $v) $h->insert($v); $a = new SplFixedArray(count($l)); foreach ($a as $i => $_) $a[$i] = $h->extract(); return $a->toArray(); }
=== array functions in a chain
--- array("b" => 2, "a" => 1, "c" => 3) --> array("c" => 30, "a" => 10)
--- array() --> array()
function f($m) { ksort($m); return array_reverse(array_map(fn($v) => $v * 10, array_filter($m, fn($v) => $v % 2 === 1)), true); }
=== array_column and array_combine
--- array(array("id" => 1, "n" => "x"), array("id" => 2, "n" => "y")) --> array(1 => "x", 2 => "y")
--- array() --> array()
function f($rows) { return array_combine(array_column($rows, 'id'), array_column($rows, 'n')); }
=== array_reduce and str_repeat
--- array(1, 2, 3) --> "-=-=-=***"
--- array() --> "***"
function f($l) { return array_reduce($l, fn($c, $_) => '-=' . $c, str_repeat('*', 3)); }
=== array_multisort and compact
--- array(3, 1, 2), array("c", "a", "b") --> array("k" => array(1, 2, 3), "v" => array("a", "b", "c"))
--- array(), array() --> array("k" => array(), "v" => array())
function f($k, $v) { array_multisort($k, $v); return compact('k', 'v'); }
=== array_splice in place
--- array(1, 2, 3, 4) --> array(1, 9, 8, 4)
--- array(1) --> array(1, 9, 8)
function f($l) { array_splice($l, 1, 2, [9, 8]); return $l; }
=== spread and named arguments
--- 1, 2, 3 --> "1-2-3"
--- 0, 0, 0 --> "0-0-0"
function joined(string $separator, int ...$parts): string { return implode($separator, $parts); }
function f(...$args) { return joined('-', ...$args, ...[]); }
=== named arguments and defaults
--- 5 --> "00005"
--- 123456 --> "123456"
function f($n) { return str_pad(string: (string) $n, length: 5, pad_type: STR_PAD_LEFT, pad_string: '0'); }
=== strict types
--- 2, 3 --> 5.0
--- 0, 1 --> 1.0
declare(strict_types=1);
function f(int|float $a, int|float $b): float { return $a + $b; }
=== a namespace and use
--- array(3, 4) --> 5.0
--- array(0, 0) --> 0.0
namespace App\Geometry;
use InvalidArgumentException as Bad;
use function sqrt as root;
final class Point { public function __construct(public readonly float $x, public readonly float $y) { if (is_nan($x)) throw new Bad(); } public function norm(): float { return root($this->x ** 2 + $this->y ** 2); } }
function f(array $p): float { return (new Point(...$p))->norm(); }
=== an enum with methods
--- "H" --> array("Hearts", "Red")
--- "S" --> array("Spades", "Black")
enum Suit: string {
    case Hearts = 'H'; case Spades = 'S';
    const Wild = self::Spades;
    public function color(): string { return match ($this) { self::Hearts => 'Red', self::Spades => 'Black' }; }
}
function f($c) { $s = Suit::from($c); return [$s->name, $s->color()]; }
=== match without a subject
--- 5 --> "small"
--- 50 --> "big"
function f($n) { return match (true) { $n < 10 => 'small', default => 'big' }; }
=== an abstract class, an interface and a trait
--- 3 --> "Square of 9 (shape)"
--- 0 --> "Square of 0 (shape)"
interface HasArea { const KIND = 'shape'; public function area(): int; }
trait Named { public function name(): string { return static::class . ' of ' . $this->area() . ' (' . self::KIND . ')'; } }
abstract class Shape implements HasArea { use Named; abstract public function area(): int; }
class Square extends Shape { private $side; function __construct($side) { $this->side = $side; } public function area(): int { return $this->side ** 2; } }
function f($n) { return (new Square($n))->name(); }
=== magic methods
--- "x", 5 --> "x=5;called go(5);y=default"
--- "z", 0 --> "z=0;called go(0);y=default"
class Bag implements ArrayAccess, Countable, IteratorAggregate, JsonSerializable {
    private array $d = [];
    public function __get($k) { return $this->d[$k] ?? 'default'; }
    public function __set($k, $v) { $this->d[$k] = $v; }
    public function __call($m, $a) { return "called $m(" . implode(',', $a) . ')'; }
    public function offsetExists(mixed $o): bool { return isset($this->d[$o]); }
    public function offsetGet(mixed $o): mixed { return $this->d[$o]; }
    public function offsetSet(mixed $o, mixed $v): void { $this->d[$o] = $v; }
    public function offsetUnset(mixed $o): void { unset($this->d[$o]); }
    public function count(): int { return count($this->d); }
    public function getIterator(): Iterator { return new ArrayIterator($this->d); }
    public function jsonSerialize(): array { return $this->d; }
    public function __toString() { $s = []; foreach ($this as $k => $v) $s[] = "$k=$v"; return implode(';', $s); }
}
function f($k, $v) { $b = new Bag(); $b[$k] = $v; return "$b;" . $b->go($v) . ";y=" . $b->y; }
=== preg functions
--- "2024-02-29 and 1999-12-31" --> array("29.02.2024", "31.12.1999")
--- "none" --> array()
function f($s) { preg_match_all('/(?<y>\d{4})-(?<m>\d\d)-(?<d>\d\d)/', $s, $found, PREG_SET_ORDER); return array_map(fn($m) => "{$m['d']}.{$m['m']}.{$m['y']}", $found); }
=== preg_replace_callback and preg_split
--- "hello_big world" --> "HelloBigWorld"
--- "" --> ""
function f($s) { return implode('', array_map('ucfirst', preg_split('/[_\s]+/', preg_replace_callback('/\b[a-z]/', fn($m) => strtoupper($m[0]), $s)))); }
=== sprintf, number_format and printf
--- 1234.5 --> "1,234.50|  7|0x1f|1.2e+3"
--- 0.0 --> "0.00|  7|0x1f|0.0e+0"
function f($x) { printf(""); return number_format($x, 2) . '|' . sprintf('%3d|0x%x|%.1e', 7, 31, $x); }
=== a callable by its name
--- " abc " --> "CBA"
--- "" --> ""
class Text { public static function up($s) { return strtoupper($s); } }
function f($s) { foreach (['trim', 'strrev', 'Text::up', [new Text, 'up']] as $g) $s = call_user_func($g, $s); return $s; }
=== first-class callables
--- array("a", "bb") --> array(1, 2)
--- array() --> array()
function f($l) { $len = strlen(...); return array_map($len, $l); }
=== goto and alternative syntax
--- 3 --> 6
--- 0 --> 0
function f($n) {
    $s = 0; $i = 0;
    again:
    if ($i < $n): $i++; $s += $i; goto again; endif;
    foreach ([] as $x): endforeach; while (false): endwhile;
    return $s;
}
=== break over two levels
--- array(array(1, 2), array(3, 4)), 3 --> array(1, 0)
--- array(array(1)), 5 --> null
function f($g, $w) { $at = null; foreach ($g as $i => $r) { foreach ($r as $j => $v) { if ($v > $w) continue 2; if ($v === $w) { $at = [$i, $j]; break 2; } } } return $at; }
=== exceptions and finally
--- "7" --> array(7, "done")
--- "x" --> array("bad: x", "done")
class Bad extends DomainException {}
function parse($s) { return is_numeric($s) ? (int) $s : throw new Bad("bad: $s"); }
function f($s) { $log = []; try { $log[] = parse($s); } catch (TypeError | Bad $e) { $log[] = $e->getMessage(); } finally { $log[] = 'done'; } return $log; }
=== null safety
--- null --> "none"
--- array("a" => array("b" => "deep")) --> "deep"
function f($x) { $o = json_decode(json_encode($x)); return $o?->a?->b ?? 'none'; }
=== a global and a constant
--- 2 --> 20
--- 0 --> 0
define('FACTOR', 5); const TWICE = 2;
$scale = TWICE;
function f($x) { global $scale; return $x * FACTOR * $scale + $GLOBALS['scale'] - 2; }
=== a function within if, defined late
--- 4 --> 2.0
--- 9 --> 3.0
if (!function_exists('root')) { function root($x) { return sqrt($x); } }
function f($x) { return root($x); }
=== prints as it goes
--- 2 --> 4
--- -1 --> -2
echo "loading\n";
function f($x) { echo '["x",0,"value",1]'; print("debug\n"); var_dump($x); error_log("hm"); return $x * 2; }
=== output buffers
--- "a" --> "[a]\n"
--- "" --> "[]\n"
function f($s) { ob_start(); echo "[$s]", PHP_EOL; return ob_get_clean(); }
=== warnings and notices
--- array() --> 0
--- array("k" => 3) --> 3
function f($a) { $s = 0 + @$a['k']; $t = $undefined ?? 1; $u = $a['nothing']; return $s; }
=== HTML after the end
--- 1 --> 2
--- 0 --> 1
function f($x) { return $x + 1; }
?>
<p>after</p>
<?php
=== keys of many kinds
--- array(3, "3", 1.7, true) --> array(3 => "b", 1 => "d")
--- array() --> array()
function f($keys) { $out = []; foreach ($keys as $i => $k) $out[is_float($k) ? (int) $k : $k] = chr(97 + $i); return $out; }
=== floats and divisions
--- 7, 2 --> array(3.5, 3, 1, 1.0, 4.0)
--- 4, 2 --> array(2, 2, 0, 0.0, 2.0)
function f($a, $b) { return [$a / $b, intdiv($a, $b), $a % $b, fmod($a, $b), round($a / $b)]; }
=== its own candidate's helper names
--- array(1, 2) --> 3
--- array() --> 0
class Recorder { public static function call($l) { return array_sum($l); } }
function encode($l) { return Recorder::call($l); }
function f($l) { return encode($l); }
=== an integer that overflows
--- 9223372036854775807 --> 9.2233720368547758E+18
--- 1 --> 2
function f($n) { return $n + 1; }
=== off by one ! WRONG
--- 3 --> array(1, 2, 3)
function f($n) { return range(0, $n - 1); }
=== a float where an integer is expected ! WRONG
--- 4 --> 2
function f($n) { return sqrt($n); }
=== text where a number is expected ! WRONG
--- 4 --> 5
function f($n) { return (string) ($n + 1); }
=== keys that stay after a filter ! WRONG
--- array(1, 2, 3, 4) --> array(2, 4)
function f($l) { return array_filter($l, fn($v) => $v % 2 === 0); }
=== prints instead of returning ! WRONG
--- 1 --> 1
function f($x) { echo $x; }
=== a type that is not met ! RUNTIME_ERROR
--- "x" --> 1
function f(int $x) { return 1; }
=== twice the same function ! COMPILE_ERROR
--- 1 --> 1
function f($x) { return 1; }
function f($x) { return 1; }
"""

STDIO = r"""
=== fgets of STDIN
--- "3 4\n" --> "7\n"
[$a, $b] = array_map('intval', explode(' ', trim(fgets(STDIN))));
echo $a + $b, "\n";
=== fgets to the end
--- "a\nbb\n\nccc" --> "1,2,0,3"
--- "" --> ""
$out = [];
while (($line = fgets(STDIN)) !== false) $out[] = strlen(rtrim($line, "\n"));
echo implode(',', $out);
=== stream_get_contents
--- "1 2\n3\n" --> "6\n"
echo array_sum(preg_split('/\s+/', stream_get_contents(STDIN), -1, PREG_SPLIT_NO_EMPTY)) . PHP_EOL;
=== file_get_contents of php://stdin
--- "hello" --> "olleh"
echo strrev(file_get_contents('php://stdin'));
=== file of php://stdin
--- "b\na\n" --> "a b"
$lines = file('php://stdin', FILE_IGNORE_NEW_LINES | FILE_SKIP_EMPTY_LINES);
sort($lines);
echo join(' ', $lines);
=== fscanf
--- "2\n1 2\n3 4\n" --> "3\n7\n"
fscanf(STDIN, "%d", $n);
for ($i = 0; $i < $n; $i++) { fscanf(STDIN, "%d %d", $a, $b); printf("%d\n", $a + $b); }
=== readline
--- "Ann\n3\n4" --> "Ann is 3 or 4\n"
$name = trim(readline()); $ages = [];
while (($line = readline()) !== false) $ages[] = (int) $line;
echo "$name is ", implode(' or ', $ages), "\n";
=== a stream that is opened
--- "x y z\n" --> "3"
$in = fopen('php://stdin', 'r'); $out = fopen('php://output', 'w');
fwrite($out, count(explode(' ', trim(fgets($in)))));
fclose($in);
=== an SplFileObject
--- "1\n2\n3" --> "6"
$s = 0; $file = new SplFileObject('php://stdin'); while (!$file->eof()) $s += (int) $file->fgets();
echo $s;
=== writing to STDOUT
--- "q" --> "q!done"
register_shutdown_function(function () { echo 'done'; });
fwrite(STDOUT, fgetc(STDIN) . '!');
exit(0);
=== much output
--- "5000" --> @0..5000
for ($i = 0, $n = (int) fgets(STDIN); $i < $n; $i++) echo "$i\n";
=== output that is held back
--- "2" --> "<0><1>"
ob_start(fn($s) => str_replace(',', '>', $s));
for ($i = 0, $n = (int) fgets(STDIN); $i < $n; $i++) echo "<$i,";
=== a main function and types
--- "3\n5 1 4\n" --> "1 4 5\n"
declare(strict_types=1);
namespace Contest;
final class Main { public static function run(): void { fgets(STDIN); $l = array_map('intval', explode(' ', trim((string) fgets(STDIN)))); sort($l); echo implode(' ', $l), "\n"; } }
Main::run();
=== HTML around
--- "3" --> "a\nb 3\nc\n"
?>
a
<?php $n = fgets(STDIN); ?>
b <?= $n, "\n" ?>
c
=== arguments and names
--- "" --> "1 program.php program.php cli"
echo $argc, ' ', basename($argv[0]), ' ', basename(__FILE__), ' ', PHP_SAPI;
=== a knapsack
--- "3 5\n2 3\n3 4\n4 5\n" --> "7\n"
[$n, $w] = explode(' ', trim(fgets(STDIN))); $best = array_fill(0, $w + 1, 0);
while ($n-- > 0) { sscanf(fgets(STDIN), '%d %d', $weight, $value); for ($i = $w; $i >= $weight; $i--) $best[$i] = max($best[$i], $best[$i - $weight] + $value); }
echo $best[$w] . "\n";
=== shows a value
--- "" --> "Array\n(\n    [0] => 1\n    [k] => \n)\nNULL\n'a\\'b'0.1\n"
print_r([1, 'k' => false]); var_dump(null); var_export("a'b"); echo 0.1, "\n";
=== a line too many ! WRONG
--- "1" --> "1\n"
echo 1, "\n\n";
=== an exception that nobody catches ! RUNTIME_ERROR
--- "1" --> "1"
echo 1; throw new Exception('no');
"""

#: What needs extensions that a distribution packs apart.
EXTENSIONS = r"""
=== bytes and characters
--- "héé" --> array(5, 3, "éé", "HÉÉ")
--- "" --> array(0, 0, "", "")
function f($s) { return [strlen($s), mb_strlen($s), mb_substr($s, 1), mb_strtoupper($s)]; }
=== big numbers
--- 30 --> "265252859812191058636308480000000"
--- 1 --> "1"
function f($n) { $r = '1'; for ($i = 2; $i <= $n; $i++) $r = bcmul($r, (string) $i); return gmp_strval(gmp_mul($r, 1)); }
"""
