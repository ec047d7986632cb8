package expr

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

var numberFunctions = []function{
	ofInts("add", func(x, y int64) (any, error) {
		sum := x + y
		if (x > 0) == (y > 0) && (sum > 0) != (x > 0) && x != 0 && y != 0 {
			return nil, overflow("add", x, y)
		}
		return sum, nil
	}),
	ofInts("sub", func(x, y int64) (any, error) {
		diff := x - y
		if (x >= 0) != (y >= 0) && (diff >= 0) != (x >= 0) {
			return nil, overflow("sub", x, y)
		}
		return diff, nil
	}),
	ofInts("mul", mul),
	ofInts("div", func(x, y int64) (any, error) {
		if y == 0 {
			return nil, Errorf("The template language function 'div' attempted to divide by zero. %s", usage("div"))
		}
		if x == math.MinInt64 && y == -1 {
			return nil, overflow("div", x, y)
		}
		return x / y, nil
	}),
	ofInts("mod", func(x, y int64) (any, error) {
		if y == 0 {
			return nil, Errorf("The template language function 'mod' attempted to divide by zero. %s", usage("mod"))
		}
		if y == -1 {
			return int64(0), nil
		}
		return x % y, nil
	}),
	{name: "min", min: 1, max: -1, eval: func(b *Budget, args []any) (any, error) { return extreme(b, "min", args, -1) }},
	{name: "max", min: 1, max: -1, eval: func(b *Budget, args []any) (any, error) { return extreme(b, "max", args, 1) }},
}

func overflow(name string, x, y int64) error {
	return Errorf("The template language function '%s' overflowed with the operants '%d' and '%d'. Please see https://aka.ms/arm-functions for usage details.", name, x, y)
}

func mul(x, y int64) (any, error) {
	hi, lo := bits.Mul64(magnitude(x), magnitude(y))
	limit := uint64(math.MaxInt64)
	if (x < 0) != (y < 0) {
		limit++
	}
	if hi != 0 || lo > limit {
		return nil, overflow("mul", x, y)
	}
	return x * y, nil
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// extreme is the least or greatest of integers, or of an array of them.
func extreme(b *Budget, name string, args []any, sign int64) (any, error) {
	if a, ok := args[0].([]any); ok && len(args) == 1 {
		args = a
	}
	if len(args) == 0 {
		return nil, badValue(name, "The array is empty.")
	}
	var found int64
	for i := range args {
		n, err := intArg(name, args, i)
		if err != nil {
			return nil, err
		}
		if i == 0 || sign > 0 && n > found || sign < 0 && n < found {
			found = n
		}
	}
	return found, b.step(len(args))
}

var conversionFunctions = []function{
	{name: "int", min: 1, max: 1, eval: toInt},
	{name: "float", min: 1, max: 1, eval: toFloat},
	{name: "bool", min: 1, max: 1, eval: toBool},
}

func parseInt(s string) (int64, error) { return strconv.ParseInt(strings.TrimSpace(s), 10, 64) }

func toInt(_ *Budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case int64:
		return v, nil
	case float64:
		if r := math.RoundToEven(v); r >= math.MinInt64 && r < math.MaxInt64 {
			return int64(r), nil
		}
	case string:
		if n, err := parseInt(v); err == nil {
			return n, nil
		}
	}
	s, ok := scalar(args[0])
	if !ok {
		s = TypeName(args[0])
	}
	return nil, Errorf("The template language function 'int' cannot convert provided value '%s' to integer value. Please see https://aka.ms/arm-function-int for usage details.", clip(s))
}

func toFloat(_ *Budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f, nil
		}
	}
	return nil, badValue("float", "The value cannot be converted to the target type.")
}

func toBool(_ *Budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "1":
			return true, nil
		case "false", "0":
			return false, nil
		}
	}
	return nil, badValue("bool", "The value cannot be converted to the target type.")
}
