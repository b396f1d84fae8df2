"""What errors and alarms say, in Chinese.

The English sentence is what a message is: programs, logs and the command line have it, and a reader of Chinese pages
gets its Chinese. Each module beside this one has `MESSAGES`, by what they are about.
"""
