// Stands before a program that includes all of the standard library.
#pragma once
#include <bits/stdc++.h>

#include "answers.hpp"
