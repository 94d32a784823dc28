/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiles the module INSIDE into a test that has to reach its insides. The pragma keeps the
 * module's name out of the dependency file, where make would find it and compile it a second time;
 * the test depends on the module's object file anyhow. Meant to be included more than once.
 */
#pragma GCC system_header
#include INSIDE
#undef INSIDE
