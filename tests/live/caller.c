/* SPDX-License-Identifier: GPL-2.0-or-later */
/* caller PATH SECONDS: asks the daemon's socket for its largest report and does not read it. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char question[] = "html\n";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc != 3 || fd < 0 || strlen(argv[1]) >= sizeof(address.sun_path))
		return EXIT_FAILURE;
	strcpy(address.sun_path, argv[1]);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    write(fd, question, sizeof(question) - 1) < 0)
		return EXIT_FAILURE;
	sleep((unsigned int)atoi(argv[2]));
	return EXIT_SUCCESS;
}
