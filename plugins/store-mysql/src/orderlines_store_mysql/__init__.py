"""A store on MySQL 8 or MariaDB 10.6 and newer."""
